/** A bound on waits for what cannot be aborted: system calls that hang on a broken file system. */
import type { Clock } from "./clock.ts";

/** Ends a timer; a reason of its own spares the stack trace of a DOMException for each call. */
const SETTLED = Symbol("settled");

/**
 * What `work` gives, or a rejection with `late()` when it takes longer than `timeoutMs`. The work
 * itself goes on; its later outcome is dropped.
 */
export async function within<T>(
  work: Promise<T>,
  timeoutMs: number,
  clock: Clock,
  late: () => Error,
): Promise<T> {
  const done = new AbortController();
  // When the event loop itself was late, an answer may lie there already: it is let in first.
  const grace = () => clock.sleep(0, done.signal);
  const timeout = clock.sleep(timeoutMs, done.signal).then(grace).then(
    () => {
      throw late();
    },
    // The work came first, and the race with it is over.
    () => new Promise<never>(() => {}),
  );
  try {
    return await Promise.race([work, timeout]);
  } finally {
    done.abort(SETTLED);
  }
}
