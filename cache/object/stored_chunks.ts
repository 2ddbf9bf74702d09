/**
 * The part of an object version that is on the cache's disk: its data file, and which chunks of it
 * may be believed.
 *
 * A disk that fails or does not answer in time is not asked again until the object is opened anew,
 * nor is a file that was cut: the bytes then come from the store.
 */
import { crc32 } from "node:zlib";
import type { BufferPool, Lease } from "../fetch/buffer_pool.ts";
import { notAnswering } from "../disk/cache_disk_error.ts";
import { CHUNK_BYTES, ChunkMap } from "./chunk_map.ts";
import type { DataFile } from "../disk/data_file.ts";
import type { Clock } from "../platform/clock.ts";
import type { Memory } from "../platform/libc.ts";
import { TaskGroup } from "../platform/limit.ts";
import { within } from "../platform/within.ts";

/** A disk that has answered no call at all for so long hangs: the store is asked instead. */
const DISK_TIMEOUT_MS = 1_000;
const NEVER = new AbortController().signal;

/** What reading back needs, and who is told what it finds. */
export interface StoredChunksDeps {
  readonly clock: Clock;
  /** For chunks that are read back to be verified; no other buffer is waited for with one. */
  readonly checks: BufferPool;
  /** A chunk did not have its checksum. */
  readonly onCorrupt: (chunk: number) => void;
  /** The file was cut: what is written to it now would make zeros of what was lost. */
  readonly onCut: () => void;
  readonly onDiskFailed: (error: unknown) => void;
}

/** Chunks of one object on disk. */
export class StoredChunks {
  readonly map: ChunkMap;
  readonly #deps: StoredChunksDeps;
  #file: DataFile | null = null;
  /** Calls that nobody waits for any more. */
  readonly #late = new TaskGroup(() => undefined);

  constructor(sizeBytes: number, deps: StoredChunksDeps) {
    this.map = new ChunkMap(sizeBytes);
    this.#deps = deps;
  }

  /** The data file; null where there is none, or its disk failed. */
  get file(): DataFile | null {
    return this.#file;
  }

  /** The chunks are, or are going to be, in `file`. */
  use(file: DataFile): void {
    this.#file = file;
  }

  /** Whether `chunk` can be asked for here. */
  has(chunk: number): boolean {
    return this.#file !== null && this.map.has(chunk);
  }

  /** Fills `into` if that needs no waiting, and says whether it did. */
  readNow(into: Memory, offset: number): boolean {
    if (this.#file === null || !this.map.isReadable(...chunksOf(offset, into.length))) return false;
    return this.#file.readCached(into, offset) === into.length;
  }

  /**
   * Fills `into` with chunks that are present. False when that is not possible: what is bad was
   * dropped, a disk that failed is not asked again, and the caller has to look elsewhere.
   */
  async read(into: Memory, offset: number, signal: AbortSignal): Promise<boolean> {
    const [first, last] = chunksOf(offset, into.length);
    if (this.map.isReadable(first, last)) return await this.#readRange(into, offset);
    for (let chunk = first; chunk <= last; chunk += 1) {
      const start = Math.max(offset, chunk * CHUNK_BYTES);
      const end = Math.min(offset + into.length, (chunk + 1) * CHUNK_BYTES);
      const checked = await this.#verifiedChunk(chunk, signal);
      if (checked === null) return false;
      const from = start - chunk * CHUNK_BYTES;
      into.set(checked.bytes.subarray(from, from + end - start), start - offset);
      checked.release();
    }
    return true;
  }

  /** No more is asked of the file; it is closed when the calls under way have returned. */
  leave(): void {
    this.#file?.close();
    this.#file = null;
  }

  /**
   * Writes whole chunks that arrived, beginning with `first`; false when the file was left. Rejects
   * with `CacheDiskError`; a disk that hangs may then still read from `bytes`.
   */
  async write(file: DataFile, first: number, bytes: Memory): Promise<boolean> {
    if (this.#file !== file) return false;
    const crcs: number[] = [];
    for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
      crcs.push(crc32(bytes.subarray(start, start + CHUNK_BYTES)));
    }
    const writing = file.writeLater(bytes, first * CHUNK_BYTES, NEVER);
    try {
      await this.#answer(writing, file, "write");
    } catch (error) {
      this.#late.add(writing);
      throw error;
    }
    crcs.forEach((crc, index) => this.map.add(first + index, crc));
    return this.#file === file;
  }

  /** Reads back and compares all that is present and not verified yet. */
  async verify(signal: AbortSignal): Promise<void> {
    for (let chunk = 0; chunk < this.map.count; chunk += 1) {
      signal.throwIfAborted();
      if (!this.has(chunk) || this.map.isVerified(chunk)) continue;
      (await this.#verifiedChunk(chunk, signal))?.release();
    }
  }

  /** Reads back and compares all that is present, verified or not; what is bad is dropped. */
  async recheck(signal: AbortSignal): Promise<void> {
    for (let chunk = 0; chunk < this.map.count; chunk += 1) {
      signal.throwIfAborted();
      if (this.has(chunk)) (await this.#verifiedChunk(chunk, signal))?.release();
    }
  }

  async #readRange(into: Memory, offset: number): Promise<boolean> {
    const read = await this.#fromDisk(into, offset, () => undefined);
    if (read === into.length) return true;
    if (read !== null) this.#cut();
    return false;
  }

  /** The bytes of a chunk that has its checksum; null when it has not, or the disk failed. */
  async #verifiedChunk(chunk: number, signal: AbortSignal): Promise<Lease | null> {
    const lease = await this.#deps.checks.lend(this.map.chunkBytes(chunk), signal);
    const wasVerified = this.map.isVerified(chunk);
    const read = await this.#fromDisk(lease.bytes, chunk * CHUNK_BYTES, lease.release);
    if (read === null) return null;
    if (read === lease.bytes.length && crc32(lease.bytes) === this.map.crc(chunk)) {
      if (this.map.has(chunk)) this.map.verified(chunk);
      return lease;
    }
    lease.release();
    if (read < lease.bytes.length) {
      this.#cut();
      return null;
    }
    // Another reader found it bad first, and it was fetched and written anew meanwhile.
    if (!wasVerified && this.map.isVerified(chunk)) return this.#verifiedChunk(chunk, signal);
    this.#drop(chunk);
    return null;
  }

  /**
   * Bytes read, or null when the disk failed or did not answer. `whenOver` is called only in the
   * latter case, when nobody writes to `into` any more.
   */
  async #fromDisk(into: Memory, offset: number, whenOver: () => void): Promise<number | null> {
    const file = this.#file;
    if (file === null) {
      whenOver();
      return null;
    }
    const reading = file.readLater(into, offset, NEVER);
    try {
      return await this.#answer(reading, file, "read");
    } catch (error) {
      if (this.#file === file) this.leave();
      this.#deps.onDiskFailed(error);
      this.#late.add(reading.then(whenOver, whenOver));
      return null;
    }
  }

  /** What `call` gives. Rejects when the disk has answered nobody for too long. */
  async #answer<T>(call: Promise<T>, file: DataFile, operation: string): Promise<T> {
    for (;;) {
      const before = file.diskAnswers;
      const late = notAnswering(operation, file.path);
      try {
        return await within(call, DISK_TIMEOUT_MS, this.#deps.clock, () => late);
      } catch (error) {
        if (error !== late || file.diskAnswers === before) throw error;
      }
    }
  }

  #cut(): void {
    if (this.#file === null) return;
    this.leave();
    this.#deps.onCut();
  }

  #drop(chunk: number): void {
    if (!this.map.has(chunk)) return;
    this.map.drop(chunk);
    this.#deps.onCorrupt(chunk);
  }
}

/** First and last chunk of a range. */
export function chunksOf(offset: number, length: number): [first: number, last: number] {
  return [Math.floor(offset / CHUNK_BYTES), Math.floor((offset + length - 1) / CHUNK_BYTES)];
}
