/**
 * The order of reads that a plan announces: lists one after another, each read through once or
 * several times. Positions count reads from the beginning of the plan and never change.
 */
import { assert } from "../platform/assert.ts";

/** Files are numbered below this, and a list is shorter: both fit in a double's 53 bits. */
const COUNT_MAX = 2 ** 26;

/** One read: all of a file, or a range of it. */
export interface PlanRead {
  readonly file: number;
  readonly offset: number;
  /** Infinity reaches to the end. */
  readonly length: number;
}

/** A list of reads in columns. */
interface ReadList {
  readonly files: Int32Array;
  /** Null when every read is of a whole file. */
  readonly ranges: { readonly offsets: Float64Array; readonly lengths: Float64Array } | null;
  /** `file * COUNT_MAX + place` of every read, in order: the places of each file together. */
  readonly places: Float64Array;
}

/** A list where it stands in the plan. */
interface Stretch {
  readonly list: ReadList;
  readonly start: number;
  readonly end: number;
}

/** Reads in order. */
export class PlanOrder {
  #stretches: Stretch[] = [];
  #end = 0;

  /** The position after the last read. */
  get end(): number {
    return this.#end;
  }

  /** Reads in memory; a list that is read several times counts once. */
  get length(): number {
    return this.#stretches.reduce((sum, { list }) => sum + list.files.length, 0);
  }

  /** Adds `reads`, which are made `times` times over in this order. */
  append(reads: readonly PlanRead[], times: number): void {
    assert(reads.length < COUNT_MAX && times >= 1, "A list is not too long, and is read");
    if (reads.length === 0) return;
    const start = this.#end;
    this.#end += reads.length * times;
    this.#stretches.push({ list: readList(reads), start, end: this.#end });
  }

  /** The read at `position`, or null before the reads that are kept and after the last one. */
  at(position: number): PlanRead | null {
    const stretch = this.#stretches.find(({ end }) => position < end);
    if (stretch === undefined || position < stretch.start) return null;
    const { list: { files, ranges }, start } = stretch;
    const place = (position - start) % files.length;
    return {
      file: files[place] ?? 0,
      offset: ranges?.offsets[place] ?? 0,
      length: ranges?.lengths[place] ?? Infinity,
    };
  }

  /** The first position at or after `from` that reads `file`; Infinity when there is none. */
  nextUse(file: number, from: number): number {
    for (const { list, start, end } of this.#stretches) {
      if (end <= from) continue;
      const length = list.files.length;
      const after = Math.max(0, from - start);
      const [round, place] = [Math.floor(after / length), after % length];
      const here = placeFrom(list, file, place);
      if (here !== null) return start + round * length + here;
      const again = placeFrom(list, file, 0);
      const next = start + (round + 1) * length;
      if (again !== null && next < end) return next + again;
    }
    return Infinity;
  }

  /** The last position before `before`, of those kept, that reads `file`; -Infinity for none. */
  lastUse(file: number, before: number): number {
    for (const { list, start, end } of this.#stretches.toReversed()) {
      if (start >= before) continue;
      const length = list.files.length;
      const last = Math.min(before, end) - start - 1;
      const [round, place] = [Math.floor(last / length), last % length];
      const here = placeUpTo(list, file, place);
      if (here !== null) return start + round * length + here;
      const earlier = placeUpTo(list, file, length - 1);
      if (earlier !== null && round > 0) return start + (round - 1) * length + earlier;
    }
    return -Infinity;
  }

  /** Forgets lists that end at or before `position`. */
  dropBefore(position: number): void {
    const [first] = this.#stretches;
    if (first === undefined || first.end > position) return;
    this.#stretches = this.#stretches.filter(({ end }) => end > position);
  }
}

function readList(reads: readonly PlanRead[]): ReadList {
  const files = Int32Array.from(reads, ({ file }) => file);
  const whole = reads.every(({ offset, length }) => offset === 0 && length === Infinity);
  return {
    files,
    ranges: whole ? null : {
      offsets: Float64Array.from(reads, ({ offset }) => offset),
      lengths: Float64Array.from(reads, ({ length }) => length),
    },
    places: Float64Array.from(files, (file, place) => file * COUNT_MAX + place).sort(),
  };
}

/** The first place of `file` at or after `place`. */
function placeFrom({ places }: ReadList, file: number, place: number): number | null {
  return placeOf(places[indexFrom(places, file * COUNT_MAX + place)], file);
}

/** The last place of `file` at or before `place`. */
function placeUpTo({ places }: ReadList, file: number, place: number): number | null {
  return placeOf(places[indexFrom(places, file * COUNT_MAX + place + 1) - 1], file);
}

function placeOf(found: number | undefined, file: number): number | null {
  if (found === undefined || Math.floor(found / COUNT_MAX) !== file) return null;
  return found % COUNT_MAX;
}

/** The first index whose value is not below `wanted`. */
function indexFrom(values: Float64Array, wanted: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] ?? Infinity) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
