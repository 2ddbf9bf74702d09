/**
 * Hands items from who finds them to who works on them, a bounded number at a time: whoever is
 * ahead waits.
 *
 *     open ──close──▶ closed: what is left can be taken, then null
 *       └───drop────▶ closed, and nothing is left
 */
import { abortable } from "../../cache/backend/abort_scope.ts";

/** Items on their way, in order. */
export class BoundedQueue<T> {
  readonly #most: number;
  #items: T[] = [];
  /** Items before this one have been taken. */
  #first = 0;
  #isClosed = false;
  /** Resolves at the next change; null while nobody waits. */
  #change: PromiseWithResolvers<void> | null = null;

  /** @param most Items that may wait. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Items that wait. */
  get length(): number {
    return this.#items.length - this.#first;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Adds `item` when there is room for it; false when nobody will take it: it is closed. */
  async push(item: T, signal: AbortSignal): Promise<boolean> {
    while (this.length >= this.#most && !this.#isClosed) await this.#changed(signal);
    if (this.#isClosed) return false;
    this.#items.push(item);
    this.#tell();
    return true;
  }

  /** The next item; null when there will be none. */
  async take(signal: AbortSignal): Promise<T | null> {
    while (this.length === 0 && !this.#isClosed) await this.#changed(signal);
    signal.throwIfAborted();
    const item = this.#items[this.#first];
    if (item === undefined) return null;
    this.#first += 1;
    // Moved together now and then, so that taking costs the same however many wait.
    if (this.#first >= this.#most) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    this.#tell();
    return item;
  }

  /** No more items come. */
  close(): void {
    this.#isClosed = true;
    this.#tell();
  }

  /** No more items come, and those that wait are not wanted. */
  drop(): void {
    this.#items = [];
    this.#first = 0;
    this.close();
  }

  #tell(): void {
    this.#change?.resolve();
    this.#change = null;
  }

  async #changed(signal: AbortSignal): Promise<void> {
    this.#change ??= Promise.withResolvers();
    await abortable(this.#change.promise, signal);
  }
}
