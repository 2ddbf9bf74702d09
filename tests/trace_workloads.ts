/** Sequences of object reads as training and other work produce them. */
import type { SeededRandom } from "./support/seeded_random.ts";

/** One object that is read, whole or in part. */
export interface TraceRead {
  readonly key: number;
  readonly sizeBytes: number;
}

/** Objects of a data set, with keys from `firstKey` on. */
export function dataSet(
  firstKey: number,
  count: number,
  sizeBytes: (index: number) => number = () => 1,
): TraceRead[] {
  return Array.from({ length: count }, (_, index) => ({
    key: firstKey + index,
    sizeBytes: sizeBytes(index),
  }));
}

/** Bytes of all `objects` together. */
export function bytesOf(objects: readonly TraceRead[]): number {
  return objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/** A copy of `items` in random order. */
export function shuffled<T>(items: readonly T[], random: SeededRandom): T[] {
  return items
    .map((item) => ({ item, place: random.next() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}

/** Every object once per epoch, in a new order each time. */
export function epochs(
  objects: readonly TraceRead[],
  count: number,
  random: SeededRandom,
): TraceRead[] {
  return Array.from({ length: count }, () => shuffled(objects, random)).flat();
}

/**
 * Workers that each go through their part of the data, epoch after epoch, without waiting for one
 * another. Worker speeds differ by up to `speedSpread` around their mean.
 */
export function workers(
  objects: readonly TraceRead[],
  workerCount: number,
  epochCount: number,
  speedSpread: number,
  random: SeededRandom,
): TraceRead[] {
  const parts = Array.from({ length: workerCount }, (_, worker) => ({
    reads: epochs(objects.filter((_, i) => i % workerCount === worker), epochCount, random),
    speed: 1 + speedSpread * (2 * worker / (workerCount - 1) - 1),
    progress: 0,
  }));
  const reads: TraceRead[] = [];
  while (parts.every((part) => part.progress < part.reads.length)) {
    for (const part of parts) {
      const from = Math.floor(part.progress);
      part.progress += 2 * part.speed * random.next();
      reads.push(...part.reads.slice(from, Math.floor(part.progress)));
    }
  }
  return reads;
}

/** Each read as `pieces` smaller ones, with `readers` such objects in progress at once. */
export function inPieces(
  reads: readonly TraceRead[],
  pieces: number,
  readers: number,
  random: SeededRandom,
): TraceRead[] {
  const out: TraceRead[] = [];
  const open: { read: TraceRead; left: number }[] = [];
  let next = 0;
  for (;;) {
    while (open.length < readers && next < reads.length) {
      const read = reads[next];
      if (read !== undefined) open.push({ read, left: pieces });
      next += 1;
    }
    if (open.length === 0) return out;
    const index = random.below(open.length);
    const chosen = open[index];
    if (chosen === undefined) return out;
    out.push(chosen.read);
    chosen.left -= 1;
    if (chosen.left === 0) open.splice(index, 1);
  }
}

/** `count` reads of which object of rank r has a share proportional to r to the power -skew. */
export function zipf(
  objects: readonly TraceRead[],
  skew: number,
  count: number,
  random: SeededRandom,
): TraceRead[] {
  let total = 0;
  const upTo = objects.map((_, rank) => total += (rank + 1) ** -skew);
  const ranked = shuffled(objects, random);
  return Array.from({ length: count }, () => {
    const at = random.next() * total;
    let [low, high] = [0, ranked.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((upTo[middle] ?? total) < at) low = middle + 1;
      else high = middle;
    }
    return ranked[low] ?? random.pick(ranked);
  });
}

/** Both in their own order, until one ends; `firstShare` of the reads are of the first. */
export function mixed(
  first: readonly TraceRead[],
  second: readonly TraceRead[],
  firstShare: number,
  random: SeededRandom,
): TraceRead[] {
  const out: TraceRead[] = [];
  let [i, j] = [0, 0];
  for (;;) {
    const read = random.next() < firstShare ? first[i++] : second[j++];
    if (read === undefined) return out;
    out.push(read);
  }
}
