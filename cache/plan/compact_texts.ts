/**
 * Many short texts in one block of memory: a million strings would cost 40 bytes each beside their
 * characters, and long pauses of the garbage collector.
 */
import { decodeName, encodeName } from "../platform/byte_name.ts";

const BYTES_FIRST = 4_096;
const TEXTS_FIRST = 256;

/** Texts numbered from 0 in the order in which they came; none is ever changed or dropped. */
export class CompactTexts {
  #bytes = new Uint8Array(BYTES_FIRST);
  /** Where each text ends; it begins where the one before it ends. */
  #ends = new Uint32Array(TEXTS_FIRST);
  #count = 0;

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** Memory they take. */
  get sizeBytes(): number {
    return this.#bytes.length + 4 * this.#ends.length;
  }

  /** Adds `text`, which may hold any bytes as `byte_name.ts` writes them; its number. */
  add(text: string): number {
    const encoded = encodeName(text);
    const start = this.#endOf(this.#count - 1);
    const end = start + encoded.length;
    if (end > this.#bytes.length) this.#bytes = grown(this.#bytes, Uint8Array, end);
    if (this.#count === this.#ends.length) {
      this.#ends = grown(this.#ends, Uint32Array, this.#count + 1);
    }
    this.#bytes.set(encoded, start);
    this.#ends[this.#count] = end;
    this.#count += 1;
    return this.#count - 1;
  }

  /** The text with `number`. */
  get(number: number): string {
    return decodeName(this.#bytes.subarray(this.#endOf(number - 1), this.#endOf(number)));
  }

  #endOf(number: number): number {
    return number < 0 ? 0 : this.#ends[number] ?? 0;
  }
}

/** A copy of `column` with place for at least `length`, and for as many again as there were. */
export function grown<T extends { readonly length: number; set(from: T): void }>(
  column: T,
  make: new (length: number) => T,
  length: number,
): T {
  const copy = new make(Math.max(length, 2 * column.length));
  copy.set(column);
  return copy;
}
