/**
 * Fetches that were read ahead and may not be written to the cache: kept in memory until they are
 * read, the oldest dropped when there are too many.
 */
import type { Fetch } from "../fetch/fetch.ts";

/** Kept fetches of a mount. */
export class AheadMemory {
  readonly #bytesMax: number;
  /** Oldest first, each with what lets it go. */
  readonly #kept = new Map<Fetch, () => void>();
  #bytes = 0;
  #closed = false;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Resolves when `fetch` was dropped, to make room or because it was used. */
  async keep(fetch: Fetch): Promise<void> {
    if (this.#closed) return;
    const dropped = Promise.withResolvers<void>();
    this.#kept.set(fetch, dropped.resolve);
    this.#bytes += fetch.lengthBytes;
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.#bytesMax) break;
      this.drop(oldest);
    }
    await dropped.promise;
  }

  /** Lets `fetch` go; nothing happens when it is not kept. */
  drop(fetch: Fetch): void {
    const letGo = this.#kept.get(fetch);
    if (letGo === undefined) return;
    this.#kept.delete(fetch);
    this.#bytes -= fetch.lengthBytes;
    letGo();
  }

  /** Lets everything go, and keeps nothing from now on. */
  close(): void {
    this.#closed = true;
    for (const fetch of [...this.#kept.keys()]) this.drop(fetch);
  }
}
