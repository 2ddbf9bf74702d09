/** Bounds the requests that one store gets at once. */
import { type Backend, BackendError } from "../backend.ts";
import { decorate } from "./decorate.ts";
import { QueueFullError, Semaphore } from "../../platform/limit.ts";

/**
 * Operations that may wait for their turn. The kernel keeps far fewer requests outstanding, so
 * only a runaway caller of our own meets this bound.
 */
export const WAITING_MAX = 65_536;

/** Turns of requests to the store of `backend`, at most `requestsMax` at once. */
export function requestTurns(backend: string, requestsMax: number): Semaphore {
  return new Semaphore(`requests to backend "${backend}"`, requestsMax, WAITING_MAX);
}

/** `inner` with a turn for each running operation; further ones wait in order of arrival. */
export function limited(inner: Backend, turns: Semaphore): Backend {
  return decorate(inner, async (call) => {
    using _turn = await turns.acquire(call.signal).catch((error: unknown) => {
      if (!(error instanceof QueueFullError)) throw error;
      throw new BackendError(
        "throttled",
        inner.name,
        call.operation,
        call.path,
        `${turns.waiting} operations wait for their turn already`,
        "Run fewer readers at once, or allow the backend more requests",
        null,
        { cause: error },
      );
    });
    return await call.run(call.signal, () => {});
  });
}
