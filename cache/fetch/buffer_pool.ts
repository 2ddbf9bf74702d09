/**
 * Reusable buffers, so that memory does not grow with the number of readers: so many are lent at
 * once, and further callers wait in arrival order.
 *
 * Buffers come in powers of two. Returned ones are kept for the next caller, and as many of each
 * size as were ever lent at once: with 4 KiB for the smallest, all sizes together are less than
 * twice what the largest alone may take.
 */
import { assert } from "../platform/assert.ts";
import type { Memory } from "../platform/libc.ts";
import { Semaphore } from "../platform/limit.ts";

const BUFFER_BYTES_MIN = 4096;

/** Bytes lent until `release` is called, once. */
export interface Lease {
  readonly bytes: Memory;
  release(): void;
}

/** Buffers of up to `bufferBytesMax` each, `buffersMax` lent at once. */
export class BufferPool {
  readonly #bufferBytesMax: number;
  readonly #permits: Semaphore;
  /** Returned buffers by size. */
  readonly #free = new Map<number, Memory[]>();

  constructor(name: string, bufferBytesMax: number, buffersMax: number, waitersMax: number) {
    this.#bufferBytesMax = bufferBytesMax;
    this.#permits = new Semaphore(name, buffersMax, waitersMax);
  }

  /** Lends `length` bytes with whatever they last held. */
  async lend(length: number, signal: AbortSignal): Promise<Lease> {
    assert(length <= this.#bufferBytesMax, `A buffer of ${length} bytes is within the pool's size`);
    const permit = await this.#permits.acquire(signal);
    const size = Math.max(BUFFER_BYTES_MIN, 2 ** Math.ceil(Math.log2(Math.max(length, 1))));
    const buffer = this.#free.get(size)?.pop() ?? new Uint8Array(size);
    let lent = true;
    return {
      bytes: buffer.subarray(0, length),
      release: () => {
        assert(lent, "A buffer is released once");
        lent = false;
        this.#keep(size, buffer);
        permit[Symbol.dispose]();
      },
    };
  }

  #keep(size: number, buffer: Memory): void {
    const kept = this.#free.get(size);
    if (kept === undefined) this.#free.set(size, [buffer]);
    else kept.push(buffer);
  }
}
