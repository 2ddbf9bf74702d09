import type { Clock } from "../../cache/platform/clock.ts";

/**
 * What `work` gives within `ms`; after that its signal aborts with `late`, with which it is
 * expected to end. Unlike `within`, leaves nothing behind: `work` has ended when this settles.
 */
export async function inTime<T>(
  ms: number,
  clock: Clock,
  signal: AbortSignal,
  late: Error,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const done = new AbortController();
  const deadline = clock.sleep(ms, AbortSignal.any([done.signal, signal])).then(
    () => over.abort(late),
    // The work has ended, or is told to by `signal`.
    () => undefined,
  );
  try {
    return await work(AbortSignal.any([over.signal, signal]));
  } finally {
    done.abort();
    await deadline;
  }
}
