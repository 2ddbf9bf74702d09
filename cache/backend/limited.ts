/** Bounds the requests that one store gets at once. */
import { type Backend, BackendError } from "./backend.ts";
import { decorate } from "./decorate.ts";
import { QueueFullError, Semaphore } from "../platform/limit.ts";

/**
 * Operations that may wait for their turn. The kernel keeps far fewer requests outstanding, so
 * only a runaway caller of our own meets this bound.
 */
export const WAITING_MAX = 65_536;

/** `inner` with at most `requestsMax` operations running; further ones wait in order of arrival. */
export function limited(inner: Backend, requestsMax: number): Backend {
  const turns = new Semaphore(`requests to backend "${inner.name}"`, requestsMax, WAITING_MAX);
  return decorate(inner, async (call) => {
    using _turn = await turns.acquire(call.signal).catch((error: unknown) => {
      if (!(error instanceof QueueFullError)) throw error;
      throw new BackendError(
        "throttled",
        inner.name,
        call.operation,
        call.path,
        `${turns.waiting} operations wait for one of ${requestsMax} requests already`,
        "Run fewer readers at once, or allow the backend more requests",
        null,
        { cause: error },
      );
    });
    return await call.run(call.signal, () => {});
  });
}
