/**
 * Residents whose next use a plan knows, the one used furthest in the future on top: the victim of
 * Belady's algorithm, in logarithmic time.
 */
import { NO_ROW } from "../index/row_lists.ts";

/** A heap of rows by next use, later ones first. */
export class NextUseHeap {
  #rows = new Int32Array(0);
  /** Where in `#rows` a row is, or {@linkcode NO_ROW}. */
  #places = new Int32Array(0);
  #uses = new Float64Array(0);
  #count = 0;

  /** Makes place for rows below `rows`. */
  reserve(rows: number): void {
    const heap = new Int32Array(rows);
    heap.set(this.#rows);
    this.#rows = heap;
    const places = new Int32Array(rows).fill(NO_ROW);
    places.set(this.#places);
    this.#places = places;
    const uses = new Float64Array(rows).fill(Infinity);
    uses.set(this.#uses);
    this.#uses = uses;
  }

  /** When `row` is used next; Infinity when no plan says. */
  nextUse(row: number): number {
    return this.#uses[row] ?? Infinity;
  }

  /** Sets the next use of a row that is not in the heap. */
  plan(row: number, nextUse: number): void {
    this.#uses[row] = nextUse;
  }

  /** The row used last of all, or {@linkcode NO_ROW}. */
  furthest(): number {
    return this.#count === 0 ? NO_ROW : this.#at(0);
  }

  add(row: number): void {
    this.#count += 1;
    this.#rise(row, this.#count - 1);
  }

  /** Takes `row` out, if it is in. */
  remove(row: number): void {
    const place = this.#places[row] ?? NO_ROW;
    if (place === NO_ROW) return;
    this.#count -= 1;
    const last = this.#at(this.#count);
    this.#places[row] = NO_ROW;
    if (last === row) return;
    this.#sink(last, place);
    this.#rise(last, this.#places[last] ?? place);
  }

  #at(place: number): number {
    return this.#rows[place] ?? NO_ROW;
  }

  #put(row: number, place: number): void {
    this.#rows[place] = row;
    this.#places[row] = place;
  }

  #rise(row: number, from: number): void {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = this.#at(parent);
      if (this.nextUse(above) >= this.nextUse(row)) break;
      this.#put(above, place);
      place = parent;
    }
    this.#put(row, place);
  }

  #sink(row: number, from: number): void {
    let place = from;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this.#count) break;
      const right = child + 1;
      if (right < this.#count && this.nextUse(this.#at(right)) > this.nextUse(this.#at(child))) {
        child = right;
      }
      if (this.nextUse(this.#at(child)) <= this.nextUse(row)) break;
      this.#put(this.#at(child), place);
      place = child;
    }
    this.#put(row, place);
  }
}
