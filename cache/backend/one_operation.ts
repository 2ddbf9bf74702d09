/** Requests that belong together: when one fails, the others are not wanted any more. */
import { AbortScope } from "./abort_scope.ts";

/**
 * Runs `run` under a signal of its own, which ends with it.
 *
 * @param failure What is thrown in place of what `run` threw, unless `signal` had aborted.
 */
export async function oneOperation<T>(
  signal: AbortSignal,
  run: (signal: AbortSignal) => Promise<T>,
  failure: (error: unknown) => unknown,
): Promise<T> {
  using scope = new AbortScope(signal);
  try {
    scope.signal.throwIfAborted();
    return await run(scope.signal);
  } catch (error) {
    signal.throwIfAborted();
    scope.abort(error);
    throw failure(error);
  }
}
