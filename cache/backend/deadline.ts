/** Makes sure that nothing waits for a store that has gone quiet. */
import { abortable, AbortScope } from "./abort_scope.ts";
import { type Backend, BackendError } from "./backend.ts";
import { decorate } from "./decorate.ts";
import type { Clock } from "../platform/clock.ts";
import { formatDuration } from "../platform/units.ts";

/** Ends the watch of an operation; an Error for each would cost more than the rest of the watch. */
const FINISHED = "finished";

/**
 * `inner` with every operation bounded by `timeoutMs` without progress: each arriving byte of a
 * read, or byte taken by a put, starts the time anew. Then it fails with `timeout`, and the inner
 * operation is aborted. It is not waited for, so that an inner backend that hangs in the operating
 * system hangs nobody else: a provider leaves `RangeRead.target` alone once its signal aborted.
 */
export function deadline(inner: Backend, timeoutMs: number, clock: Clock): Backend {
  return decorate(inner, async (call) => {
    using scope = new AbortScope(call.signal);
    const finished = new AbortController();
    let progressMs = clock.monotonicMs();

    const watch = async () => {
      for (;;) {
        const quietMs = clock.monotonicMs() - progressMs;
        if (quietMs >= timeoutMs) break;
        await clock.sleep(timeoutMs - quietMs, finished.signal);
      }
      scope.abort(
        new BackendError(
          "timeout",
          inner.name,
          call.operation,
          call.path,
          `no progress for ${formatDuration(timeoutMs)}`,
          "Check the network to the store, or raise the timeout of the backend",
        ),
      );
    };
    const watching = watch().catch((error: unknown) => {
      if (!finished.signal.aborted) scope.abort(error);
    });

    try {
      const running = call.run(scope.signal, () => {
        progressMs = clock.monotonicMs();
      });
      return await abortable(running, scope.signal);
    } finally {
      finished.abort(FINISHED);
      await watching;
    }
  });
}
