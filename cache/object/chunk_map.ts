/**
 * Which chunks of one object version are on disk, their checksums, and which of them this process
 * has verified. Pure bookkeeping.
 *
 * A chunk is readable when it is present and verified: its bytes passed their checksum on arrival,
 * or were read back and compared since the process started.
 */
import { assert } from "../platform/assert.ts";

/** Unit of presence and checksum. */
export const CHUNK_BYTES = 128 * 1024;
/** Chunks of one row of the index. */
export const ROW_CHUNKS = 32;

/** One row of the index: a mask of present chunks and their CRC32, four bytes each. */
export interface ChunkRow {
  readonly row: number;
  readonly present: number;
  readonly crcs: Uint8Array<ArrayBuffer>;
}

/** The chunks of one object. */
export class ChunkMap {
  readonly sizeBytes: number;
  readonly count: number;
  readonly #present: Uint32Array;
  readonly #verified: Uint32Array;
  readonly #crcs: Uint32Array;
  #presentCount = 0;
  #verifiedCount = 0;

  constructor(sizeBytes: number) {
    this.sizeBytes = sizeBytes;
    this.count = Math.ceil(sizeBytes / CHUNK_BYTES);
    const rows = Math.ceil(this.count / ROW_CHUNKS);
    this.#present = new Uint32Array(rows);
    this.#verified = new Uint32Array(rows);
    this.#crcs = new Uint32Array(this.count);
  }

  /** Every byte is on disk. */
  get complete(): boolean {
    return this.#presentCount === this.count;
  }

  /** Every byte is on disk and verified: the file may be handed out. */
  get trusted(): boolean {
    return this.#verifiedCount === this.count;
  }

  /** Bytes of present chunks. */
  get presentBytes(): number {
    if (this.#presentCount === 0) return 0;
    const last = this.count - 1;
    const missing = this.has(last) ? CHUNK_BYTES - this.chunkBytes(last) : 0;
    return this.#presentCount * CHUNK_BYTES - missing;
  }

  /** Bytes of chunk `chunk`; the last one of an object may be shorter. */
  chunkBytes(chunk: number): number {
    return Math.min(CHUNK_BYTES, this.sizeBytes - chunk * CHUNK_BYTES);
  }

  has(chunk: number): boolean {
    return (this.#word(this.#present, chunk) & bit(chunk)) !== 0;
  }

  isVerified(chunk: number): boolean {
    return (this.#word(this.#verified, chunk) & bit(chunk)) !== 0;
  }

  /** Whether all chunks from `first` to `last` are readable. */
  isReadable(first: number, last: number): boolean {
    if (this.trusted) return true;
    for (let chunk = first; chunk <= last; chunk += 1) {
      if (!this.isVerified(chunk)) return false;
    }
    return true;
  }

  /** Bytes of the chunks between `offset` and `end` that are not on disk. */
  missingBytes(offset: number, end: number): number {
    let bytes = 0;
    for (let chunk = Math.floor(offset / CHUNK_BYTES); chunk * CHUNK_BYTES < end; chunk += 1) {
      if (!this.has(chunk)) bytes += this.chunkBytes(chunk);
    }
    return bytes;
  }

  crc(chunk: number): number {
    return this.#crcs[chunk] ?? 0;
  }

  /** A chunk was written whose bytes have checksum `crc`. */
  add(chunk: number, crc: number): void {
    if (!this.has(chunk)) this.#presentCount += 1;
    if (!this.isVerified(chunk)) this.#verifiedCount += 1;
    this.#set(this.#present, chunk);
    this.#set(this.#verified, chunk);
    this.#crcs[chunk] = crc;
  }

  /** A chunk read back from disk has the checksum it was written with. */
  verified(chunk: number): void {
    assert(this.has(chunk), "Only a present chunk is verified");
    if (!this.isVerified(chunk)) this.#verifiedCount += 1;
    this.#set(this.#verified, chunk);
  }

  /** This process has verified all of it before, and it was only read since. */
  trustAll(): void {
    assert(this.complete, "Only a complete object is trusted");
    this.#verified.set(this.#present);
    this.#verifiedCount = this.count;
  }

  /** The file was touched by somebody else: everything is to be verified again. */
  distrust(): void {
    this.#verified.fill(0);
    this.#verifiedCount = 0;
  }

  /** A chunk turned out to be bad or gone. */
  drop(chunk: number): void {
    if (this.has(chunk)) this.#presentCount -= 1;
    if (this.isVerified(chunk)) this.#verifiedCount -= 1;
    const row = Math.floor(chunk / ROW_CHUNKS);
    this.#present[row] = this.#word(this.#present, chunk) & ~bit(chunk);
    this.#verified[row] = this.#word(this.#verified, chunk) & ~bit(chunk);
  }

  /** Takes over a row of the index; its chunks are present, not yet verified. */
  load({ row, present, crcs }: ChunkRow): void {
    const view = new DataView(crcs.buffer, crcs.byteOffset, crcs.length);
    for (let index = 0; index < ROW_CHUNKS; index += 1) {
      const chunk = row * ROW_CHUNKS + index;
      if (chunk >= this.count || (present & bit(chunk)) === 0 || this.has(chunk)) continue;
      this.#presentCount += 1;
      this.#set(this.#present, chunk);
      this.#crcs[chunk] = view.getUint32(index * 4, true);
    }
  }

  /** The index row with number `row` as it should be stored. */
  row(row: number): ChunkRow {
    const crcs = new Uint8Array(ROW_CHUNKS * 4);
    const view = new DataView(crcs.buffer);
    for (let index = 0; index < ROW_CHUNKS; index += 1) {
      view.setUint32(index * 4, this.crc(row * ROW_CHUNKS + index), true);
    }
    return { row, present: this.#present[row] ?? 0, crcs };
  }

  #word(bits: Uint32Array, chunk: number): number {
    return bits[Math.floor(chunk / ROW_CHUNKS)] ?? 0;
  }

  #set(bits: Uint32Array, chunk: number): void {
    bits[Math.floor(chunk / ROW_CHUNKS)] = this.#word(bits, chunk) | bit(chunk);
  }
}

function bit(chunk: number): number {
  return 1 << (chunk % ROW_CHUNKS);
}
