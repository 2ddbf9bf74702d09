/**
 * The part of an object version that is on the cache's disk: its data file, and which chunks of it
 * may be believed.
 *
 * A disk that fails or does not answer in time is not asked again for this object: the bytes then
 * come from the store.
 */
import { crc32 } from "node:zlib";
import type { BufferPool, Lease } from "./buffer_pool.ts";
import { CacheDiskError } from "./cache_disk_error.ts";
import { CHUNK_BYTES, ChunkMap } from "./chunk_map.ts";
import type { DataFile } from "./data_file.ts";
import type { Clock } from "./platform/clock.ts";
import type { Memory } from "./platform/libc.ts";
import type { TaskGroup } from "./platform/limit.ts";
import { within } from "./platform/within.ts";

/** Longest wait for the cache's disk before the store is asked instead. */
const DISK_TIMEOUT_MS = 1_000;
const NEVER = new AbortController().signal;

/** What reading back needs, and who is told what it finds. */
export interface StoredChunksDeps {
  readonly clock: Clock;
  readonly tasks: TaskGroup;
  /** For chunks that are read back to be verified; no other buffer is waited for with one. */
  readonly checks: BufferPool;
  /** A chunk did not have its checksum, or was cut. */
  readonly onCorrupt: (chunk: number) => void;
  readonly onDiskFailed: (error: unknown) => void;
}

/** Chunks of one object on disk. */
export class StoredChunks {
  readonly map: ChunkMap;
  readonly #deps: StoredChunksDeps;
  #file: DataFile | null = null;

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

  /** Writes whole chunks that arrived, beginning with `first`. Rejects with `CacheDiskError`. */
  async write(file: DataFile, first: number, bytes: Memory): Promise<void> {
    const crcs: number[] = [];
    for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
      crcs.push(crc32(bytes.subarray(start, start + CHUNK_BYTES)));
    }
    await file.writeLater(bytes, first * CHUNK_BYTES, NEVER);
    crcs.forEach((crc, index) => this.map.add(first + index, crc));
  }

  /** Reads back and compares all that is present and not verified yet. */
  async verify(signal: AbortSignal): Promise<void> {
    for (let chunk = 0; chunk < this.map.count; chunk += 1) {
      signal.throwIfAborted();
      if (!this.has(chunk) || this.map.isVerified(chunk)) continue;
      (await this.#verifiedChunk(chunk, signal))?.release();
    }
  }

  async #readRange(into: Memory, offset: number): Promise<boolean> {
    const read = await this.#fromDisk(into, offset, () => undefined);
    if (read === into.length) return true;
    if (read === null) return false;
    // The file was cut: nothing of this range is believed any more.
    const [first, last] = chunksOf(offset, into.length);
    for (let chunk = first; chunk <= last; chunk += 1) this.#drop(chunk);
    return false;
  }

  /** The bytes of a chunk that has its checksum; null when it has not, or the disk failed. */
  async #verifiedChunk(chunk: number, signal: AbortSignal): Promise<Lease | null> {
    const lease = await this.#deps.checks.lend(this.map.chunkBytes(chunk), signal);
    const read = await this.#fromDisk(lease.bytes, chunk * CHUNK_BYTES, lease.release);
    if (read === null) return null;
    if (read === lease.bytes.length && crc32(lease.bytes) === this.map.crc(chunk)) {
      if (this.map.has(chunk)) this.map.verified(chunk);
      return lease;
    }
    lease.release();
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
      const late = () => new CacheDiskError("failed", "read", file.path, "it does not answer");
      return await within(reading, DISK_TIMEOUT_MS, this.#deps.clock, late);
    } catch (error) {
      this.#file = null;
      this.#deps.onDiskFailed(error);
      this.#deps.tasks.add(reading.then(whenOver, whenOver));
      return null;
    }
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
