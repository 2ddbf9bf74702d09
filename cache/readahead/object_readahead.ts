/**
 * The read-ahead of one open object: remembers what was fetched ahead and whether it was used, and
 * keeps what may not be written to the cache in memory until it is.
 */
import { type AheadMemory } from "./ahead_memory.ts";
import type { Fetch } from "../fetch/fetch.ts";
import {
  notFetched,
  observeRead,
  READAHEAD_START,
  type ReadaheadSettings,
  type ReadaheadState,
} from "./readahead.ts";

/** What read-ahead counts, in blocks. */
export interface ReadaheadMetrics {
  readaheadHit(blocks: number): void;
}

/** Bytes to fetch ahead. */
export interface AheadSpan {
  readonly startBytes: number;
  readonly endBytes: number;
}

/** The read-ahead of one object. */
export class ReadAhead {
  readonly #objectBytes: number;
  readonly #settings: ReadaheadSettings;
  readonly #metrics: ReadaheadMetrics;
  readonly #memory: AheadMemory;
  /** Blocks fetched ahead and not read yet. */
  readonly #unread = new Set<number>();
  #state: ReadaheadState = READAHEAD_START;

  constructor(
    objectBytes: number,
    settings: ReadaheadSettings,
    metrics: ReadaheadMetrics,
    memory: AheadMemory,
  ) {
    this.#objectBytes = objectBytes;
    this.#settings = settings;
    this.#metrics = metrics;
    this.#memory = memory;
  }

  /**
   * Notes a read and returns what to fetch ahead of it.
   *
   * @param awaited What is read is on its way, and nothing of that has arrived.
   */
  observe(offset: number, length: number, awaited: boolean): AheadSpan | null {
    const { blockBytes } = this.#settings;
    let late = false;
    const lastBlock = Math.floor((offset + length - 1) / blockBytes);
    for (let block = Math.floor(offset / blockBytes); block <= lastBlock; block += 1) {
      if (!this.#unread.delete(block)) continue;
      this.#metrics.readaheadHit(1);
      late = awaited;
    }
    const read = { offsetBytes: offset, lengthBytes: length, late };
    const { state, fetch } = observeRead(this.#state, read, this.#objectBytes, this.#settings);
    this.#state = state;
    if (fetch === null) return null;
    return {
      startBytes: Math.max(offset + length, fetch.first * blockBytes),
      endBytes: Math.min(this.#objectBytes, fetch.end * blockBytes),
    };
  }

  /** What was to be fetched from `startBytes` on was not, and is asked for by the next read. */
  notFetched(startBytes: number): void {
    const block = Math.floor(startBytes / this.#settings.blockBytes);
    this.#state = notFetched(this.#state, block);
  }

  /** `fetch` was started ahead of a reader. */
  started(fetch: Fetch): void {
    if (fetch.priority === "demand") return;
    const { blockBytes } = this.#settings;
    const last = Math.floor((fetch.offset + fetch.lengthBytes - 1) / blockBytes);
    for (let block = Math.floor(fetch.offset / blockBytes); block <= last; block += 1) {
      this.#unread.add(block);
    }
  }

  /** A reader was given bytes of `fetch` up to `endBytes` from its start. */
  used(fetch: Fetch, endBytes: number): void {
    fetch.usedBytes = Math.max(fetch.usedBytes, endBytes);
    if (fetch.usedBytes === fetch.lengthBytes) this.#memory.drop(fetch);
  }

  /** Resolves when `fetch`, which may not be written, need not stay in memory any longer. */
  async keepUntilUsed(fetch: Fetch): Promise<void> {
    if (fetch.usedBytes < fetch.lengthBytes) await this.#memory.keep(fetch);
  }

  /** `fetch` is not going to be read. */
  drop(fetch: Fetch): void {
    this.#memory.drop(fetch);
  }

  /** The kernel reads the whole object from disk by itself from now on. */
  usedAll(): void {
    if (this.#unread.size > 0) this.#metrics.readaheadHit(this.#unread.size);
    this.#unread.clear();
  }

  /** Blocks that were fetched ahead and not read yet; they are the caller's to account for. */
  takeUnread(): readonly number[] {
    const unread = [...this.#unread];
    this.#unread.clear();
    return unread;
  }

  /** Goes on with what was unread when the object was closed. */
  resume(unread: readonly number[]): void {
    for (const block of unread) this.#unread.add(block);
  }
}
