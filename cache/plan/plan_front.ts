/**
 * How far a plan was read: from what the reader reports, or from which planned files are opened.
 *
 *     0 ······· position ······· high ······· high + reach ······· end
 *     all read    some read, some    nothing read,     an open here is a stray:
 *                 still to come      opens count       four in a row are a jump
 *
 * Workers of one job open its files nearly in order, a few behind the others. Who is further than
 * `reach` behind is given up: that read was left out.
 */
import type { PlanOrder } from "./plan_order.ts";

/** So many opens far ahead, close to one another, mean that the reader went on from there. */
const JUMP_OPENS = 4;

/** Positions that were passed: their files have another next use. */
export type PassedReads = readonly number[];

/** Positions from `first` up to `end` that were passed, or are to be read again. */
export interface PassedRange {
  readonly first: number;
  readonly end: number;
}

const NOTHING: PassedReads = [];

/** The place of a reader in an order. */
export class PlanFront {
  readonly #order: PlanOrder;
  #position = 0;
  #high = 0;
  /** Positions from `position` on that were read. */
  readonly #read = new Set<number>();
  #stray: { readonly position: number; readonly opens: number } | null = null;
  #strays = 0;
  #skipped = 0;

  constructor(order: PlanOrder) {
    this.#order = order;
  }

  /** Every position below was read or given up. */
  get position(): number {
    return this.#position;
  }

  /** The position after the furthest one that was read. */
  get high(): number {
    return this.#high;
  }

  /** Opens of planned files where the plan does not expect them. */
  get strays(): number {
    return this.#strays;
  }

  /** Reads that were given up. */
  get skipped(): number {
    return this.#skipped;
  }

  /** The next position that reads `file` and was not read yet. */
  nextUse(file: number): number {
    let next = this.#order.nextUse(file, this.#position);
    while (this.#read.has(next)) next = this.#order.nextUse(file, next + 1);
    return next;
  }

  /** `file` was opened. `reach` is how far workers may be apart, in reads. */
  opened(file: number, reach: number): PassedReads {
    const next = this.#order.nextUse(file, this.#position);
    const last = this.#order.lastUse(file, this.#position);
    // Nearer to where it was read than to where it is read again: opened once more, or late.
    if (this.#read.has(next) || this.#position - last <= next - this.#position) return NOTHING;
    if (next >= this.#high + reach) return this.#strayed(next, reach);
    this.#stray = null;
    this.#read.add(next);
    this.#high = Math.max(this.#high, next + 1);
    return [next, ...this.#advance(this.#high - reach)];
  }

  /** The reader says that `position` is the next one it reads; it may have gone back. */
  reported(position: number): PassedRange {
    const first = Math.min(position, this.#position);
    const end = Math.max(position, this.#high);
    this.#position = position;
    this.#high = position;
    this.#read.clear();
    this.#stray = null;
    return { first, end };
  }

  /** Moves `position` over what was read, and at least to `lowest`. */
  #advance(lowest: number): number[] {
    const givenUp: number[] = [];
    for (;; this.#position += 1) {
      if (this.#read.delete(this.#position)) continue;
      if (this.#position >= lowest) return givenUp;
      givenUp.push(this.#position);
      this.#skipped += 1;
    }
  }

  #strayed(position: number, reach: number): PassedReads {
    this.#strays += 1;
    const before = this.#stray;
    const goesOn = before !== null && Math.abs(position - before.position) <= reach;
    this.#stray = { position, opens: goesOn ? before.opens + 1 : 1 };
    if (this.#stray.opens < JUMP_OPENS) return NOTHING;
    this.#stray = null;
    this.#read.add(position);
    this.#high = position + 1;
    return [position, ...this.#advance(this.#high - reach)];
  }
}
