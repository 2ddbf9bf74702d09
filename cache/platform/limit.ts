/**
 * Bounds on concurrency: a semaphore with a bounded, cancellable queue, and a group that owns
 * background tasks so that no promise is left floating.
 */
import { assert } from "./assert.ts";

/** Thrown when a bounded queue is full: the caller sheds load instead of growing without limit. */
export class QueueFullError extends Error {
  override readonly name = "QueueFullError";
}

interface Waiter {
  readonly admit: () => void;
}

/** At most `permits` holders at once; further callers wait in arrival order, `queueMax` at most. */
export class Semaphore {
  readonly name: string;
  readonly #queueMax: number;
  readonly #queue: Waiter[] = [];
  #free: number;

  constructor(name: string, permits: number, queueMax: number) {
    assert(permits > 0, `Semaphore "${name}" needs at least one permit`);
    this.name = name;
    this.#free = permits;
    this.#queueMax = queueMax;
  }

  /** Callers waiting for a permit. */
  get waiting(): number {
    return this.#queue.length;
  }

  /**
   * Takes a permit; the result gives it back when disposed.
   *
   * @throws {QueueFullError} when `queueMax` callers wait already.
   * @throws the signal's reason when it aborts first.
   */
  async acquire(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return this.#permit();
    }
    if (this.#queue.length >= this.#queueMax) {
      throw new QueueFullError(`Wait for "${this.name}": ${this.#queue.length} waiters already`);
    }
    await new Promise<void>((resolve, reject) => {
      const onAbort = () => {
        const index = this.#queue.indexOf(waiter);
        assert(index >= 0, "An aborted waiter is still queued");
        this.#queue.splice(index, 1);
        reject(signal.reason);
      };
      const waiter: Waiter = {
        admit: () => {
          signal.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      this.#queue.push(waiter);
      signal.addEventListener("abort", onAbort, { once: true });
    });
    return this.#permit();
  }

  /** A permit if one is free now; null else. */
  tryAcquire(): Disposable | null {
    if (this.#free === 0) return null;
    this.#free -= 1;
    return this.#permit();
  }

  #permit(): Disposable {
    let held = true;
    return {
      [Symbol.dispose]: () => {
        assert(held, `A permit of "${this.name}" is given back once`);
        held = false;
        const next = this.#queue.shift();
        // The permit passes straight to the next waiter, so `#free` stays as it is.
        if (next === undefined) this.#free += 1;
        else next.admit();
      },
    };
  }
}

/** Owns background tasks: their failures reach `onError`, and closing waits for all of them. */
export class TaskGroup {
  readonly #running = new Set<Promise<void>>();
  readonly #onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Tasks that have not settled. */
  get size(): number {
    return this.#running.size;
  }

  /** Adopts `task`. */
  add(task: Promise<void>): void {
    const settled = task.catch(this.#onError).finally(() => this.#running.delete(settled));
    this.#running.add(settled);
  }

  /** Resolves when every task, including those added meanwhile, has settled. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
