/** What a reader reads next: patterns drawn from a seed, for as long as somebody asks. */
import { present } from "../../cache/platform/assert.ts";
import { Xoshiro128 } from "../../cache/platform/random.ts";

/** Orders in which a training job may read. */
export const PATTERNS = ["sequential", "random", "shuffled-shards"] as const;
export type Pattern = (typeof PATTERNS)[number];

/** A file that can be read. */
export interface BenchFile {
  readonly path: string;
  readonly sizeBytes: number;
}

/** One read. */
export interface ReadRange {
  /** Position of the file in the list. */
  readonly file: number;
  readonly offset: number;
  readonly lengthBytes: number;
}

/** One reader of several. */
export interface ReaderPlace {
  /** From 0. */
  readonly reader: number;
  readonly readers: number;
  readonly seed: number;
}

/** Reads without end. */
export interface Reads {
  next(): ReadRange;
}

/**
 * The reads of one reader. `sequential`: all files whole, one after the other in the order of the
 * list, reader i beginning with file i. `shuffled-shards`: whole files in a new order each epoch,
 * which all readers draw alike and divide among them. `random`: anywhere in any file, on multiples
 * of `chunkBytes`.
 */
export function reads(
  pattern: Pattern,
  files: readonly BenchFile[],
  chunkBytes: number,
  place: ReaderPlace,
): Reads {
  if (pattern === "random") return new RandomReads(files, chunkBytes, place);
  const order = pattern === "sequential" ? inTurn(files, place.reader) : shuffled(files, place);
  const whole = wholeFiles(files, order, chunkBytes);
  return { next: () => whole.next().value };
}

function* wholeFiles(
  files: readonly BenchFile[],
  order: Generator<number, never>,
  chunkBytes: number,
): Generator<ReadRange, never> {
  for (const file of order) {
    const { sizeBytes } = present(files[file], "file of the list");
    for (let offset = 0; offset < sizeBytes; offset += chunkBytes) {
      yield { file, offset, lengthBytes: Math.min(chunkBytes, sizeBytes - offset) };
    }
  }
  throw new Error("A pattern without end has ended");
}

function* inTurn(files: readonly BenchFile[], first: number): Generator<number, never> {
  for (let turn = first;; turn += 1) yield turn % files.length;
}

function* shuffled(
  files: readonly BenchFile[],
  { reader, readers, seed }: ReaderPlace,
): Generator<number, never> {
  const random = Xoshiro128.seeded(seed, 0);
  const positions = files.map((_, position) => position);
  let turn = reader;
  while (true) {
    const epoch = random.shuffled(positions);
    for (; turn < epoch.length; turn += readers) yield epoch[turn] ?? 0;
    turn -= epoch.length;
  }
}

/**
 * Each chunk of the files is as likely as any other. No generator: of a small read from memory,
 * resuming one is a twentieth.
 */
class RandomReads implements Reads {
  readonly #files: readonly BenchFile[];
  readonly #chunkBytes: number;
  readonly #random: Xoshiro128;
  /** Of each file: chunks up to its end, those of the files before it included. */
  readonly #ends: readonly number[];

  constructor(files: readonly BenchFile[], chunkBytes: number, { reader, seed }: ReaderPlace) {
    this.#files = files;
    this.#chunkBytes = chunkBytes;
    this.#random = Xoshiro128.seeded(seed, reader + 1);
    const ends: number[] = [];
    for (const { sizeBytes } of files) {
      ends.push((ends.at(-1) ?? 0) + Math.ceil(sizeBytes / chunkBytes));
    }
    this.#ends = ends;
  }

  next(): ReadRange {
    const ends = this.#ends;
    const chunk = this.#random.below(ends.at(-1) ?? 1);
    const file = firstAbove(ends, chunk);
    const offset = (chunk - (ends[file - 1] ?? 0)) * this.#chunkBytes;
    const { sizeBytes } = present(this.#files[file], "file of the list");
    return { file, offset, lengthBytes: Math.min(this.#chunkBytes, sizeBytes - offset) };
  }
}

/** Position of the first of the rising `ends` that is above `value`. */
function firstAbove(ends: readonly number[], value: number): number {
  let low = 0;
  let high = ends.length - 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((ends[middle] ?? 0) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
