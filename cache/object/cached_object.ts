/**
 * One object version, read through the cache: from its data file where its chunks are readable,
 * from a fetch in flight where they are on their way, from the store where they are missing.
 *
 * The way of a chunk:
 *
 *     missing ──fetch──▶ in memory ──admitted, written──▶ readable ──evicted──▶ missing
 *                            └──refused: dropped once it was used──────────────────▲
 *     present (after a start) ──checksum matches──▶ readable
 *                                └──does not──▶ missing, counted as corruption
 *
 * Invariants:
 * 1. Bytes leave this file only from a fetch (checked on arrival by version, length and range) or
 *    from a chunk that is verified.
 * 2. A chunk is in at most one fetch at a time: readers, read-ahead and warming share it.
 * 3. `ChunkMap.add` comes after the write of the chunk has returned.
 * 4. The data file is never cut, punched or rewritten where a chunk is verified.
 */
import { abortable } from "../backend/abort_scope.ts";
import { BackendError, type ObjectEntry } from "../backend/backend.ts";
import type { BufferPool, Lease } from "../fetch/buffer_pool.ts";
import { CacheDiskError } from "../disk/cache_disk_error.ts";
import type { Admission, CacheKeeper } from "../cache_keeper.ts";
import { residencyKey } from "../disk/cache_space.ts";
import { CHUNK_BYTES } from "./chunk_map.ts";
import { Fetch, type FetchPriority, type FetchScheduler } from "../fetch/fetch.ts";
import { eachBlock } from "../fetch/fetch_window.ts";
import type { ReadAhead } from "../readahead/object_readahead.ts";
import type { OpenObject } from "./open_object.ts";
import type { Clock } from "../platform/clock.ts";
import type { Memory } from "../platform/libc.ts";
import type { TaskGroup } from "../platform/limit.ts";
import type { ObjectKey } from "../residency/residency.ts";
import { chunksOf, StoredChunks } from "./stored_chunks.ts";
import { WantedFetches } from "../fetch/wanted_fetches.ts";

/** What an object works with. */
export interface CachedObjectDeps {
  readonly keeper: CacheKeeper;
  readonly scheduler: FetchScheduler;
  readonly clock: Clock;
  readonly tasks: TaskGroup;
  /** For replies put together from several places. */
  readonly replies: BufferPool;
  /** For chunks read back to be verified. */
  readonly checks: BufferPool;
  /** Receives reads that need no waiting. */
  readonly scratch: Memory;
  /** Largest range of one request to the store. */
  readonly blockBytes: number;
}

/** A part of a read that comes from one place. */
interface Piece {
  readonly firstChunk: number;
  readonly lastChunk: number;
  readonly from: Fetch | "disk";
}

const NEVER = new AbortController().signal;

/** An object version with what is known of its bytes. */
export class CachedObject implements OpenObject {
  readonly backend: string;
  readonly path: string;
  readonly entry: ObjectEntry;
  /** Names it among the residents. */
  readonly key: ObjectKey;
  /** Who brought it in. */
  readonly uid: number;
  readonly stored: StoredChunks;
  readonly ahead: ReadAhead;
  /** Row of the index; null while nothing of the object is kept. */
  row: number | null = null;
  opens = 0;
  admission: Admission = { kind: "undecided" };
  lastAccessMs = 0;
  readonly #deps: CachedObjectDeps;
  /** Chunks on their way or still in memory. */
  readonly #fetches = new Map<number, Fetch>();
  readonly #wanted: WantedFetches;
  /** Fetches that are not written, or dropped, yet. */
  #keeping = 0;
  /** Those of them whose bytes may still be written. */
  #unwritten = 0;
  /** Resolves when there are none of these. */
  #kept = Promise.withResolvers<void>();

  constructor(
    backend: string,
    path: string,
    entry: ObjectEntry,
    uid: number,
    ahead: ReadAhead,
    deps: CachedObjectDeps,
  ) {
    this.backend = backend;
    this.path = path;
    this.entry = entry;
    this.uid = uid;
    this.key = residencyKey(backend, path, entry.version);
    this.ahead = ahead;
    this.#deps = deps;
    const { keeper, clock, checks, tasks } = deps;
    this.#wanted = new WantedFetches({ clock, tasks, onUnwanted: (fetch) => this.#giveUp(fetch) });
    this.stored = new StoredChunks(entry.sizeBytes, {
      clock,
      checks,
      onCorrupt: (chunk) => keeper.corrupt(this, chunk),
      onCut: () => keeper.cut(this),
      onDiskFailed: (error) => keeper.diskFailed(error),
    });
  }

  get backingFd(): number | null {
    if (!this.stored.map.trusted || this.admission.kind === "evicted") return null;
    return this.stored.file?.readFd ?? null;
  }

  readNow(offset: number, length: number): Memory | null {
    const bytes = this.#deps.scratch.subarray(0, length);
    if (!this.stored.readNow(bytes, offset)) return null;
    this.#count(offset, length, []);
    this.#readAhead(offset, length);
    return bytes;
  }

  async read(offset: number, length: number, signal: AbortSignal): Promise<Lease> {
    const pieces = this.#plan(offset, length, "demand");
    // Before the fetches become demand: one that was started ahead of it is a hit.
    this.#count(offset, length, pieces);
    const [only, ...others] = pieces;
    if (only !== undefined && only.from !== "disk" && others.length === 0) {
      using _held = this.#hold(only.from, "demand");
      this.#readAhead(offset, length);
      return await this.#lendFrom(only.from, offset, length, signal);
    }
    this.#readAhead(offset, length);
    const lease = await this.#deps.replies.lend(length, signal);
    try {
      await this.#copy(lease.bytes, offset, signal);
      return lease;
    } catch (error) {
      lease.release();
      throw error;
    }
  }

  /** Fetches what is missing between `offset` and `end`; returns when it is there. */
  async prefetch(
    offset: number,
    end: number,
    priority: FetchPriority,
    signal: AbortSignal,
  ): Promise<void> {
    await eachBlock({ offset, end }, this.#deps.blockBytes, async (block) => {
      const pieces = this.#plan(block.offset, block.end - block.offset, priority);
      await Promise.all(pieces.map(async ({ from }) => {
        if (from === "disk") return;
        using _held = this.#hold(from, priority);
        if (priority !== "warm") this.ahead.started(from);
        await from.filledTo(from.lengthBytes, signal);
      }));
    });
  }

  /** Resolves when all that was on its way is written, or is not going to be. */
  async kept(signal: AbortSignal): Promise<void> {
    if (this.#unwritten > 0) await abortable(this.#kept.promise, signal);
  }

  seek(offset: number, whence: "data" | "hole"): number {
    return whence === "data" ? offset : this.entry.sizeBytes;
  }

  status(): ObjectEntry {
    return this.entry;
  }

  passedThrough(): void {
    const { sizeBytes } = this.entry;
    const blocks = Math.ceil(sizeBytes / this.#deps.blockBytes);
    this.#deps.keeper.counted(this, blocks, 0);
    this.ahead.usedAll();
  }

  close(): void {
    this.opens -= 1;
    if (this.opens > 0) return;
    for (const fetch of new Set(this.#fetches.values())) this.ahead.drop(fetch);
    this.#wanted.closed();
    this.#closeWhenIdle();
  }

  /** The range as pieces; missing chunks become fetches, adjacent ones together. */
  #plan(offset: number, length: number, priority: FetchPriority): Piece[] {
    const [first, last] = chunksOf(offset, length);
    const pieces: Piece[] = [];
    for (let chunk = first; chunk <= last;) {
      const from = this.#sourceOf(chunk, last, priority);
      let end = chunk;
      while (end < last && this.#isSame(from, end + 1)) end += 1;
      pieces.push({ firstChunk: chunk, lastChunk: end, from });
      chunk = end + 1;
    }
    return pieces;
  }

  #isSame(from: Fetch | "disk", chunk: number): boolean {
    const fetch = this.#fetches.get(chunk);
    return from === "disk" ? fetch === undefined && this.stored.has(chunk) : fetch === from;
  }

  #sourceOf(chunk: number, last: number, priority: FetchPriority): Fetch | "disk" {
    const known = this.#fetches.get(chunk);
    if (known !== undefined) return known;
    return this.stored.has(chunk) ? "disk" : this.#fetch(chunk, last, priority);
  }

  /** Starts a fetch of the missing chunks from `first` on, at most a block and not past `last`. */
  #fetch(first: number, last: number, priority: FetchPriority): Fetch {
    const most = Math.min(last, first + Math.max(1, this.#deps.blockBytes / CHUNK_BYTES) - 1);
    let end = first;
    while (end < most && !this.#fetches.has(end + 1) && !this.stored.has(end + 1)) end += 1;
    const offset = first * CHUNK_BYTES;
    const fetch = new Fetch(
      this.path,
      this.entry.version,
      offset,
      this.#endOf(end) - offset,
      priority,
    );
    for (let chunk = first; chunk <= end; chunk += 1) this.#fetches.set(chunk, fetch);
    if (this.#unwritten === 0) this.#kept = Promise.withResolvers();
    this.#unwritten += 1;
    this.#keeping += 1;
    this.#wanted.started(fetch);
    this.#deps.scheduler.submit(fetch);
    this.#deps.tasks.add(this.#keep(fetch, first, end));
    return fetch;
  }

  /** Waits for a fetch and writes what arrived to the data file, if it is to be kept. */
  async #keep(fetch: Fetch, first: number, last: number): Promise<void> {
    let isUnwritten = true;
    const putAway = () => {
      if (isUnwritten) this.#unwritten -= 1;
      isUnwritten = false;
      if (this.#unwritten === 0) this.#kept.resolve();
    };
    try {
      await fetch.filledTo(fetch.lengthBytes, NEVER);
      this.#deps.keeper.fetched(this, fetch.lengthBytes);
      const written = await this.#write(fetch, first, last);
      // Who has closed the object does not come for bytes that are nowhere else.
      if (!written && this.opens > 0) {
        putAway();
        await this.ahead.keepUntilUsed(fetch);
      }
    } catch (error) {
      // Those who wait for the fetch are told by the fetch itself.
      if (error instanceof BackendError || error instanceof DOMException) return;
      if (!(error instanceof CacheDiskError)) throw error;
      fetch.reusable = false;
      // The file of what was evicted has no name by which to open it for writing.
      if (error.code === "gone" && this.admission.kind === "evicted") return;
      this.#deps.keeper.diskFailed(error);
    } finally {
      this.#wanted.ended(fetch);
      this.#forget(fetch);
      this.#deps.scheduler.release(fetch);
      this.#keeping -= 1;
      putAway();
      this.#closeWhenIdle();
    }
  }

  /** Ends a fetch that nobody waits for; who comes for its bytes from now on fetches them anew. */
  #giveUp(fetch: Fetch): void {
    this.#forget(fetch);
    this.#deps.scheduler.withdraw(fetch);
    // It may have arrived long ago, and be kept for readers who are not coming.
    this.ahead.drop(fetch);
  }

  #forget(fetch: Fetch): void {
    const [first, last] = chunksOf(fetch.offset, fetch.lengthBytes);
    for (let chunk = first; chunk <= last; chunk += 1) {
      if (this.#fetches.get(chunk) === fetch) this.#fetches.delete(chunk);
    }
  }

  /** What was fetched is written first, though its reader has left. */
  #closeWhenIdle(): void {
    if (this.opens === 0 && this.#keeping === 0) this.#deps.keeper.closed(this);
  }

  /** Writes what has arrived; false when it is not to be kept. */
  async #write(fetch: Fetch, first: number, last: number): Promise<boolean> {
    const file = this.admission.kind === "evicted"
      ? null
      : await this.#deps.keeper.admit(this, fetch.lengthBytes);
    if (file === null) return false;
    const written = await this.stored.write(file, first, fetch.bytes(0, fetch.lengthBytes));
    if (written) this.#deps.keeper.written(this, first, last);
    return true;
  }

  /**
   * Holds a fetch of a plan until disposed. To be called before anything is waited for: a fetch
   * nobody holds gives its buffer to another. Who holds one waits for nothing but this fetch:
   * memory kept while waiting for more memory would be kept for ever.
   */
  #hold(fetch: Fetch, priority: FetchPriority): Disposable {
    const { scheduler } = this.#deps;
    scheduler.hold(fetch, priority);
    this.#wanted.enter(fetch);
    return {
      [Symbol.dispose]: () => {
        this.#wanted.leave(fetch);
        scheduler.release(fetch);
      },
    };
  }

  /** The range straight from the buffer of one fetch, which is held until the reply is written. */
  async #lendFrom(
    fetch: Fetch,
    offset: number,
    length: number,
    signal: AbortSignal,
  ): Promise<Lease> {
    const start = offset - fetch.offset;
    await fetch.filledTo(start + length, signal);
    this.ahead.used(fetch, start + length);
    this.#deps.scheduler.hold(fetch, "demand");
    return {
      bytes: fetch.bytes(start, start + length),
      release: () => this.#deps.scheduler.release(fetch),
    };
  }

  /** Fills `target`, which begins at `offset`. Nothing writes to it any more when this ends. */
  async #copy(target: Memory, offset: number, signal: AbortSignal): Promise<void> {
    const copied = await Promise.allSettled(
      this.#plan(offset, target.length, "demand").map(async ({ firstChunk, lastChunk, from }) => {
        const start = Math.max(offset, firstChunk * CHUNK_BYTES);
        const end = Math.min(offset + target.length, this.#endOf(lastChunk));
        const part = target.subarray(start - offset, end - offset);
        if (from !== "disk") {
          using _held = this.#hold(from, "demand");
          await from.filledTo(end - from.offset, signal);
          this.ahead.used(from, end - from.offset);
          part.set(from.bytes(start - from.offset, end - from.offset));
        } else if (!await this.stored.read(part, start, signal)) {
          // What was bad is missing now: this plan fetches it.
          await this.#copy(part, start, signal);
        }
      }),
    );
    for (const result of copied) if (result.status === "rejected") throw result.reason;
  }

  /** Counts each block of a read once: a hit unless a part of it waits for a demand fetch. */
  #count(offset: number, length: number, pieces: readonly Piece[]): void {
    const { blockBytes, keeper } = this.#deps;
    const missed = new Set<number>();
    for (const { firstChunk, lastChunk, from } of pieces) {
      if (from === "disk" || from.priority !== "demand" || from.state.kind === "filled") continue;
      for (let chunk = firstChunk; chunk <= lastChunk; chunk += 1) {
        missed.add(Math.floor(chunk * CHUNK_BYTES / blockBytes));
      }
    }
    const first = Math.floor(offset / blockBytes);
    const last = Math.floor((offset + length - 1) / blockBytes);
    keeper.counted(this, last - first + 1 - missed.size, missed.size);
  }

  #readAhead(offset: number, length: number): void {
    const coming = this.#fetches.get(Math.floor(offset / CHUNK_BYTES));
    const awaited = coming?.state.kind === "running" && coming.filledBytes === 0;
    const span = this.ahead.observe(offset, length, awaited);
    if (span === null || span.startBytes >= span.endBytes) return;
    const { startBytes, endBytes } = span;
    if (!this.#deps.scheduler.hasRoom("readahead")) return this.ahead.notFetched(startBytes);
    for (const { from } of this.#plan(startBytes, endBytes - startBytes, "readahead")) {
      if (from === "disk") continue;
      this.ahead.started(from);
      this.#wanted.wantAhead(from);
    }
  }

  /** Byte after the last one of `chunk`. */
  #endOf(chunk: number): number {
    return Math.min(this.entry.sizeBytes, (chunk + 1) * CHUNK_BYTES);
  }
}
