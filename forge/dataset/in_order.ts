/** Bounded concurrency that keeps the order of what it is given. */
import { TaskGroup } from "../../cache/platform/limit.ts";

/**
 * What `task` makes of each of `items`, in their order; at most `parallel` of them are begun and
 * not handed on. Ends with the first failure. When it ends early, the signal of the tasks aborts
 * and all of them are waited for.
 */
export async function* mapInOrder<T, R>(
  items: Iterable<T>,
  parallel: number,
  signal: AbortSignal,
  task: (item: T, signal: AbortSignal) => Promise<R>,
): AsyncGenerator<R> {
  const ending = new AbortController();
  const inner = AbortSignal.any([signal, ending.signal]);
  const begun: Promise<R>[] = [];
  const iterator = items[Symbol.iterator]();
  const failures: unknown[] = [];
  const failure = Promise.withResolvers<void>();
  const tasks = new TaskGroup((error) => {
    failures.push(error);
    failure.resolve();
  });
  const begin = () => {
    const { done, value } = iterator.next();
    if (done === true) return false;
    const running = task(value, inner);
    begun.push(running);
    tasks.add(running.then(() => {}));
    return true;
  };
  try {
    while (true) {
      signal.throwIfAborted();
      while (begun.length < parallel && begin());
      const [first] = begun;
      if (first === undefined) return;
      // Whichever fails first ends all: nobody waits for the others to find out.
      await Promise.race([first, failure.promise]);
      if (failures.length > 0) throw failures[0];
      yield await first;
      begun.shift();
    }
  } finally {
    ending.abort(new Error("No more results are wanted"));
    await tasks.settled();
  }
}
