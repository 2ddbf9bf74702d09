/**
 * The order of `adaptive`: what came back in fewer and older generations leaves first, and among
 * equals the longest unread.
 *
 * A candidate must be worth more than what it displaces, so equals keep their place: over epochs
 * larger than the cache the same part of the data stays and hits, while anything that lets the
 * newcomer win (LRU, and LFU by counting uses) cycles through. See `generation_history.ts` for
 * what a past is worth.
 *
 * There is one list per past, so a read or an eviction costs the same with a million residents as
 * with ten, and the end of a generation moves lists, not rows. The lists of equal worth are found
 * by looking through all heads in order of worth: about a microsecond.
 */
import { GenerationClock } from "./generation_clock.ts";
import {
  afterGeneration,
  asUsedLast,
  FORGOTTEN,
  isDead,
  type Past,
  PASTS,
  RESTORED,
  Uses,
  usesOf,
  wasUsedLast,
  worth,
} from "./generation_history.ts";
import { NO_ROW, RowLists } from "../index/row_lists.ts";
import type { VictimOrder } from "./victim_order.ts";

/**
 * Of the capacity: reads of one object with less than this begun in between belong to one use.
 * Large enough for many workers in the middle of their shards, small enough that an object at the
 * end of one epoch and the beginning of the next is seldom taken for one use.
 */
const USE_SHARE = 1 / 10;

/** Residents by the generations in which they were used. */
export class GenerationOrder implements VictimOrder {
  readonly displaces = true;
  readonly #clock: GenerationClock;
  #useBytes: number;
  // Twice as many lists as pasts: the second half receives them when a generation ends.
  readonly #lists = new RowLists(2 * PASTS);
  readonly #byWorth: readonly (readonly Past[])[] = pastsByWorth();
  /** Bytes of uses begun so far: the time in which distances are measured. */
  #begunBytes = 0;
  #pasts = new Uint16Array(0);
  #generations = new Uint32Array(0);
  /** `begunBytes` at the last read. */
  #reads = new Float64Array(0);

  constructor(capacityBytes: number) {
    this.#clock = new GenerationClock(capacityBytes);
    this.#useBytes = USE_SHARE * capacityBytes;
  }

  /** Generations ended so far. */
  get generation(): number {
    return this.#clock.generation;
  }

  reserve(rows: number): void {
    this.#lists.reserve(rows);
    const pasts = new Uint16Array(rows);
    pasts.set(this.#pasts);
    this.#pasts = pasts;
    const generations = new Uint32Array(rows);
    generations.set(this.#generations);
    this.#generations = generations;
    const reads = new Float64Array(rows);
    reads.set(this.#reads);
    this.#reads = reads;
  }

  resize(capacityBytes: number): void {
    this.#clock.resize(capacityBytes);
    this.#useBytes = USE_SHARE * capacityBytes;
  }

  begin(row: number): void {
    this.#pasts[row] = FORGOTTEN;
    this.#generations[row] = this.#clock.generation;
    this.#reads[row] = -Infinity;
  }

  restored(row: number, sizeBytes: number): void {
    this.#pasts[row] = RESTORED;
    this.#clock.restored(sizeBytes);
  }

  claimed(row: number, sizeBytes: number): void {
    const past = this.#past(row);
    if (!wasUsedLast(past)) this.#clock.restored(sizeBytes);
    this.#pasts[row] = asUsedLast(past);
    this.#generations[row] = this.#clock.generation;
  }

  accessed(row: number, sizeBytes: number): void {
    const past = this.#past(row);
    const isNewUse = this.#begunBytes - (this.#reads[row] ?? 0) >= this.#useBytes;
    if (isNewUse) this.#begunBytes += sizeBytes;
    this.#reads[row] = this.#begunBytes;
    this.#pasts[row] = this.#clock.accessed(past, sizeBytes, isNewUse);
    this.#generations[row] = this.#clock.generation;
    const end = this.#clock.endIfOver();
    if (end !== null) this.#moveLists(end.carries);
  }

  queue(row: number): void {
    this.#lists.append(this.#past(row), row);
  }

  requeue(row: number): void {
    this.#lists.prepend(this.#past(row), row);
  }

  unqueue(row: number): void {
    this.#lists.unlink(row);
  }

  next(): number {
    for (const pasts of this.#byWorth) {
      let oldest = NO_ROW;
      for (const past of pasts) {
        const row = this.#lists.first(past);
        if (row === NO_ROW) continue;
        if (oldest === NO_ROW || this.#readAt(row) < this.#readAt(oldest)) oldest = row;
      }
      if (oldest !== NO_ROW) return oldest;
    }
    return NO_ROW;
  }

  beats(candidate: number, victim: number): boolean {
    const past = this.#past(victim);
    return past === FORGOTTEN || worth(this.#past(candidate)) > worth(past);
  }

  worth(row: number): number {
    return worth(this.#past(row));
  }

  isDead(row: number): boolean {
    return isDead(this.#past(row));
  }

  #past(row: number): Past {
    return this.#clock.now(this.#pasts[row] ?? FORGOTTEN, this.#generations[row] ?? 0);
  }

  #readAt(row: number): number {
    return this.#reads[row] ?? 0;
  }

  /** Gives every list the place of its past one generation later; the pasts of rows age by age. */
  #moveLists(carries: boolean): void {
    for (let past = 0; past < PASTS; past += 1) {
      this.#lists.moveAll(past, PASTS + afterGeneration(past, carries));
    }
    for (let past = 0; past < PASTS; past += 1) this.#lists.moveAll(PASTS + past, past);
  }
}

/** All pasts that occur, in groups of equal worth, the least first. */
function pastsByWorth(): Past[][] {
  const groups = new Map<number, Past[]>();
  for (let past = 0; past < PASTS; past += 1) {
    if (usesOf(past) > Uses.early) continue;
    const group = groups.get(worth(past));
    if (group === undefined) groups.set(worth(past), [past]);
    else group.push(past);
  }
  return [...groups].sort(([a], [b]) => a - b).map(([, group]) => group);
}
