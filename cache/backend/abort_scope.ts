/** Signals of single operations, and what ends with them. */
import type { Clock } from "../platform/clock.ts";

/**
 * A signal of one operation that follows the signal of its caller.
 *
 * Signals of callers may live as long as the mount. `AbortSignal.any` and `fetch` leave something
 * registered on the signals they are given until those are collected, so they are only ever given
 * a scope's own signal, and the scope takes its one listener off the caller's when disposed.
 */
export class AbortScope implements Disposable {
  readonly #parent: AbortSignal;
  readonly #controller = new AbortController();
  readonly #follow = () => this.#controller.abort(this.#parent.reason);

  constructor(parent: AbortSignal) {
    this.#parent = parent;
    if (parent.aborted) this.#follow();
    else parent.addEventListener("abort", this.#follow, { once: true });
  }

  /** Aborts with the caller's signal, or earlier by {@linkcode abort}. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Aborts this operation only; `reason` is what its pending waits reject with. */
  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  [Symbol.dispose](): void {
    this.#parent.removeEventListener("abort", this.#follow);
  }
}

/** Settles as `promise` does, or rejects with the signal's reason when that aborts first. */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  try {
    // The race also takes care of the loser's late rejection, which nobody else would handle.
    return await Promise.race([aborted, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/**
 * What `work` gives under a signal that follows `parent`, and aborts with `late()` once it has
 * taken `timeoutMs`. The work is waited for: it has to heed its signal.
 */
export async function withTimeout<T>(
  parent: AbortSignal,
  timeoutMs: number,
  clock: Clock,
  late: () => Error,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  using scope = new AbortScope(parent);
  const timeout = clock.sleep(timeoutMs, scope.signal).then(
    () => scope.abort(late()),
    () => {},
  );
  try {
    return await work(scope.signal);
  } finally {
    scope.abort(new Error("The work is over"));
    await timeout;
  }
}
