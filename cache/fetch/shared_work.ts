/**
 * Work that several callers may wait for at once, done once, such as the status of one path.
 *
 * A caller that leaves does not cancel the work. When the last one has left, the work goes on for
 * `lingerMs`, and its result is kept as long: a reader that a timer signal interrupts every few
 * milliseconds comes back for it and makes progress.
 */
import { abortable } from "../backend/abort_scope.ts";
import type { Clock } from "../platform/clock.ts";
import { TaskGroup } from "../platform/limit.ts";

interface Work<V> {
  readonly result: Promise<V>;
  readonly controller: AbortController;
  waiters: number;
  settled: boolean;
  /** Ends the lingering, while nobody waits. */
  linger: AbortController | null;
}

/** Shared work by key. */
export class SharedWork<V> {
  readonly #works = new Map<string, Work<V>>();
  readonly #lingering = new TaskGroup(() => undefined);
  readonly #clock: Clock;
  readonly #lingerMs: number;

  constructor(clock: Clock, lingerMs: number) {
    this.#clock = clock;
    this.#lingerMs = lingerMs;
  }

  /** Works going on or lingering. */
  get size(): number {
    return this.#works.size;
  }

  /**
   * Waits for the work under `key`, which `start` begins when nobody else has.
   *
   * @throws what the work throws, or the signal's reason when it aborts first.
   */
  async run(
    key: string,
    signal: AbortSignal,
    start: (signal: AbortSignal) => Promise<V>,
  ): Promise<V> {
    signal.throwIfAborted();
    const work = this.#works.get(key) ?? this.#begin(key, start);
    work.linger?.abort();
    work.linger = null;
    work.waiters += 1;
    try {
      return await abortable(work.result, signal);
    } finally {
      work.waiters -= 1;
      if (work.waiters === 0) this.#lastLeft(key, work);
    }
  }

  #begin(key: string, start: (signal: AbortSignal) => Promise<V>): Work<V> {
    const controller = new AbortController();
    const result = start(controller.signal).finally(() => {
      work.settled = true;
    });
    const work: Work<V> = { result, controller, waiters: 0, settled: false, linger: null };
    this.#works.set(key, work);
    return work;
  }

  #lastLeft(key: string, work: Work<V>): void {
    if (work.settled) this.#forget(key, work);
    else this.#lingering.add(this.#linger(key, work));
  }

  async #linger(key: string, work: Work<V>): Promise<void> {
    work.linger = new AbortController();
    try {
      await this.#clock.sleep(this.#lingerMs, work.linger.signal);
    } catch {
      return; // Somebody came back.
    }
    this.#forget(key, work);
    work.controller.abort();
  }

  #forget(key: string, work: Work<V>): void {
    if (this.#works.get(key) === work) this.#works.delete(key);
  }
}
