/** Makes sure that nothing waits for a store that has gone quiet. */
import { abortable, AbortScope } from "../abort_scope.ts";
import { type Backend, BackendError } from "../backend.ts";
import { decorate } from "./decorate.ts";
import { QuietWatch } from "./quiet_watch.ts";
import type { Clock } from "../../platform/clock.ts";
import { formatDuration } from "../../platform/units.ts";

/**
 * `inner` with every operation bounded by `timeoutMs` without progress: each arriving byte of a
 * read, or byte taken by a put, starts the time anew. Then it fails with `timeout`, and the inner
 * operation is aborted. It is not waited for, so that an inner backend that hangs in the operating
 * system hangs nobody else: a provider leaves `RangeRead.target` alone once its signal aborted.
 */
export function deadline(inner: Backend, timeoutMs: number, clock: Clock): Backend {
  const watch = new QuietWatch(clock);
  return decorate(inner, async (call) => {
    using scope = new AbortScope(call.signal);
    using watched = watch.start(timeoutMs, () => {
      scope.abort(
        new BackendError(
          "timeout",
          inner.name,
          call.operation,
          call.path,
          `no progress for ${formatDuration(timeoutMs)}`,
          "Check the network to the store, and to the issuer of its credentials, or raise the " +
            "timeout of the backend",
        ),
      );
      return "done";
    });
    return await abortable(call.run(scope.signal, () => watched.moved()), scope.signal);
  });
}
