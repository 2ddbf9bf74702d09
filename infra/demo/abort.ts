/** Waiting that a signal ends, for calls that take none. */

/**
 * The outcome of `task`, or a rejection with the signal's reason as soon as it aborts. The task
 * itself goes on unheard: a read of a mount that hangs ends only when the mount is taken away.
 */
export async function untilAborted<T>(task: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const listener = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", listener, { once: true });
  try {
    return await Promise.race([task, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", listener);
  }
}
