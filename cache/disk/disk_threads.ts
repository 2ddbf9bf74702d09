/**
 * Turns of calls that may wait for the cache's disk.
 *
 * Each call keeps a thread of the runtime until the disk has answered. The runtime has a few
 * hundred, which name resolution and other disks need too: a disk that hangs gets no more of them
 * than this.
 */
import { CacheDiskError } from "./cache_disk_error.ts";
import { QueueFullError, Semaphore } from "../platform/limit.ts";

/** At most `threads` calls at once and `waitersMax` behind them. */
export class DiskThreads {
  readonly #turns: Semaphore;
  #answered = 0;

  constructor(threads: number, waitersMax: number) {
    this.#turns = new Semaphore("cache disk", threads, waitersMax);
  }

  /** Calls that wait for their turn. */
  get waiting(): number {
    return this.#turns.waiting;
  }

  /** Calls that have returned: while this grows, the disk is slow and does not hang. */
  get answered(): number {
    return this.#answered;
  }

  /**
   * Runs `work` when it is its turn; `signal` ends the wait for the turn, not the work.
   *
   * @throws {CacheDiskError} `failed` when too many wait already.
   */
  async run<T>(subject: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    using _turn = await this.#turn(subject, signal);
    try {
      return await work();
    } finally {
      this.#answered += 1;
    }
  }

  async #turn(subject: string, signal: AbortSignal): Promise<Disposable> {
    try {
      return await this.#turns.acquire(signal);
    } catch (cause) {
      if (!(cause instanceof QueueFullError)) throw cause;
      const reason = `${this.waiting} calls wait for the disk already`;
      throw new CacheDiskError("failed", "reach", subject, reason, { cause });
    }
  }
}
