/**
 * Memory for bytes on their way from a store, under one budget for the whole mount.
 *
 * Nobody waits here: the scheduler starts a fetch only when its buffer can be had, and is told when
 * memory comes back. A buffer is used again only after its fetch ended well: a fetch that was given
 * up may still have a writer somewhere, which then writes to memory nobody reads.
 */
import { assert } from "../platform/assert.ts";
import type { Memory } from "../platform/libc.ts";

/** Smallest buffer; others are powers of two times this. */
const BUFFER_BYTES_MIN = 64 * 1024;

/** Buffers of fetches. */
export class FetchBuffers {
  readonly #budgetBytes: number;
  readonly #free = new Map<number, Memory[]>();
  readonly #onReturned: (() => void)[] = [];
  #takenBytes = 0;
  /** Kept for reuse; counted in the budget, and given up when another size is wanted. */
  #keptBytes = 0;

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes;
  }

  /** Bytes of buffers in use. */
  get takenBytes(): number {
    return this.#takenBytes;
  }

  get budgetBytes(): number {
    return this.#budgetBytes;
  }

  /** Calls `listener` each time memory comes back. */
  whenReturned(listener: () => void): void {
    this.#onReturned.push(listener);
  }

  /** A buffer of at least `length` bytes, cut to it, or null when the budget has no room. */
  take(length: number): Memory | null {
    const size = sizeFor(length);
    // One fetch at a time must always be possible, or nothing would ever move.
    if (this.#takenBytes > 0 && this.#takenBytes + size > this.#budgetBytes) return null;
    this.#takenBytes += size;
    const kept = this.#free.get(size)?.pop();
    if (kept !== undefined) {
      this.#keptBytes -= size;
      return kept.subarray(0, length);
    }
    if (this.#takenBytes + this.#keptBytes > this.#budgetBytes) this.#dropKept();
    return new Uint8Array(size).subarray(0, length);
  }

  /** Gives a buffer back; `clean` when nobody can write to it any more. */
  giveBack(buffer: Memory, clean: boolean): void {
    const size = buffer.buffer.byteLength;
    assert(this.#takenBytes >= size, "A buffer is given back once");
    this.#takenBytes -= size;
    if (clean) this.#keep(size, new Uint8Array(buffer.buffer));
    for (const listener of this.#onReturned) listener();
  }

  #keep(size: number, buffer: Memory): void {
    const kept = this.#free.get(size);
    if (kept === undefined) this.#free.set(size, [buffer]);
    else kept.push(buffer);
    this.#keptBytes += size;
  }

  #dropKept(): void {
    this.#free.clear();
    this.#keptBytes = 0;
  }
}

function sizeFor(length: number): number {
  return BUFFER_BYTES_MIN * 2 ** Math.max(0, Math.ceil(Math.log2(length / BUFFER_BYTES_MIN)));
}
