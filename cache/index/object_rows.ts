/**
 * A number per object: a hash table from 53-bit keys to small row numbers, in typed arrays, so
 * that everything known of an object can be a column. A `Map` of two million entries would cost
 * 100 MB and long pauses of the garbage collector.
 */
import { assert } from "../platform/assert.ts";
import { NO_ROW } from "./row_lists.ts";

const ROWS_FIRST = 1_024;

/** Rows by object key. */
export class ObjectRows {
  #keys = new Float64Array(ROWS_FIRST);
  /** The next row with the same hash, or of the free ones. */
  #following = new Int32Array(ROWS_FIRST).fill(NO_ROW);
  /** The first row of each hash; as many hashes as rows. */
  #buckets = new Int32Array(ROWS_FIRST).fill(NO_ROW);
  #free = NO_ROW;
  /** Rows from here on have never been used. */
  #fresh = 0;

  /** Rows there is place for; columns need as many. A power of two. */
  get capacity(): number {
    return this.#keys.length;
  }

  /** The row of `key`, or {@linkcode NO_ROW}. */
  find(key: number): number {
    let row = this.#buckets[this.#bucket(key)] ?? NO_ROW;
    while (row !== NO_ROW && this.#keys[row] !== key) row = this.#following[row] ?? NO_ROW;
    return row;
  }

  /** The key of a row in use. */
  key(row: number): number {
    return this.#keys[row] ?? NaN;
  }

  /** A row for `key`, which has none. May raise `capacity`. */
  add(key: number): number {
    assert(Number.isSafeInteger(key) && key >= 0, "An object key is a 53-bit hash");
    let row = this.#free;
    if (row === NO_ROW) {
      if (this.#fresh === this.capacity) this.#grow();
      row = this.#fresh;
      this.#fresh += 1;
    } else {
      this.#free = this.#following[row] ?? NO_ROW;
    }
    this.#keys[row] = key;
    this.#chain(row);
    return row;
  }

  /** Gives the row up; its number will be used again. */
  remove(row: number): void {
    const bucket = this.#bucket(this.key(row));
    const following = this.#following[row] ?? NO_ROW;
    let before = this.#buckets[bucket] ?? NO_ROW;
    if (before === row) this.#buckets[bucket] = following;
    else {
      while (this.#following[before] !== row) before = this.#following[before] ?? NO_ROW;
      this.#following[before] = following;
    }
    this.#following[row] = this.#free;
    this.#free = row;
  }

  #bucket(key: number): number {
    // The keys are hashes already; both halves are mixed in case the caller's are weak.
    const high = Math.floor(key / 2 ** 32);
    const mixed = Math.imul((key >>> 0) ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b);
    return (mixed ^ (mixed >>> 15)) & (this.#buckets.length - 1);
  }

  #chain(row: number): void {
    const bucket = this.#bucket(this.key(row));
    this.#following[row] = this.#buckets[bucket] ?? NO_ROW;
    this.#buckets[bucket] = row;
  }

  /** Only called with every row in use. */
  #grow(): void {
    const rows = this.capacity;
    const keys = new Float64Array(2 * rows);
    keys.set(this.#keys);
    this.#keys = keys;
    this.#following = new Int32Array(2 * rows).fill(NO_ROW);
    this.#buckets = new Int32Array(2 * rows).fill(NO_ROW);
    for (let row = 0; row < rows; row += 1) this.#chain(row);
  }
}
