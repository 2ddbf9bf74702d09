/** Looks at all shards of a data set: each alone, then what must hold for all of them together. */
import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path/posix";
import { type Root, type Shard, SHARD_NAME } from "../train/shards.ts";
import type { DatasetWorkers } from "./dataset_workers.ts";
import { mapInOrder } from "./in_order.ts";
import { isDraftName, shardName } from "./names.ts";
import type { ImageSizes, ShardProblem, ShardReport } from "./shard_check.ts";

/** The file that `forge dataset pack` writes: a class in each line, by label. */
export const CLASSES_FILE = "classes.txt";

/** What to check. */
export interface CheckPlan {
  readonly roots: readonly Root[];
  /** Labels are below it; null: as the classes beside the shards say, where they are. */
  readonly classes: number | null;
  /** How many there have to be in all; null when any number will do. */
  readonly shards: number | null;
  readonly samples: number | null;
  /** Shards read at once. */
  readonly parallel: number;
}

/** Something that is wrong, and with which file; null: with the data set as a whole. */
export interface DataSetProblem extends ShardProblem {
  readonly path: string | null;
}

/** Hears of what is found, in the order of the shards. */
export interface CheckObserver {
  shard(shard: Shard): void;
  problem(problem: DataSetProblem): void;
}

/** A data set as it was found. */
export interface DataSetReport {
  readonly shards: number;
  readonly samples: number;
  readonly sizeBytes: number;
  /** How many labels there are of each value. */
  readonly labels: ReadonlyMap<number, number>;
  /** Null when no image could be read. */
  readonly images: ImageSizes | null;
  readonly problems: number;
}

/** Checks every shard of `plan`. Keys are kept until the end: about 100 bytes for each sample. */
export async function checkDataSet(
  plan: CheckPlan,
  workers: DatasetWorkers,
  observer: CheckObserver,
  signal: AbortSignal,
): Promise<DataSetReport> {
  const found = new FoundDataSet(observer);
  const shards = plan.roots.flatMap((root) => root.shards);
  const classesBeside = new Map<string, number | null>();
  for (const directory of new Set(shards.map(({ path }) => dirname(path)))) {
    classesBeside.set(directory, plan.classes ?? await countClasses(directory));
  }
  const check = async (shard: Shard, signal: AbortSignal) => {
    const classes = classesBeside.get(dirname(shard.path)) ?? null;
    const report = await workers.check({ kind: "check", path: shard.path, classes }, signal);
    return { shard, report };
  };
  for await (const { shard, report } of mapInOrder(shards, plan.parallel, signal, check)) {
    found.add(shard, report);
  }
  for (const path of await strays(plan.roots)) found.whole(path, strayReason(path));
  for (const message of gaps(plan.roots)) found.whole(null, message);
  found.compare("shards", plan.shards);
  found.compare("samples", plan.samples);
  return found.report();
}

/** What is known of a data set so far. */
class FoundDataSet {
  readonly #observer: CheckObserver;
  /** The shard that a key was seen in. */
  readonly #keys = new Map<string, Shard>();
  readonly #labels = new Map<number, number>();
  #images: ImageSizes | null = null;
  #shards = 0;
  #samples = 0;
  #sizeBytes = 0;
  #problems = 0;

  constructor(observer: CheckObserver) {
    this.#observer = observer;
  }

  add(shard: Shard, report: ShardReport): void {
    const { path } = shard;
    this.#shards += 1;
    this.#samples += report.samples.length;
    this.#sizeBytes += shard.sizeBytes;
    for (const [label, count] of report.labels) {
      this.#labels.set(label, (this.#labels.get(label) ?? 0) + count);
    }
    this.#images = together(this.#images, report.images);
    for (const { offsetBytes, message } of report.problems) this.#tell(path, offsetBytes, message);
    const untold = report.problemCount - report.problems.length;
    if (untold > 0) {
      this.#tell(path, null, `${untold} more problems`);
      this.#problems += untold - 1;
    }
    for (const { key, offsetBytes } of report.samples) {
      const other = this.#keys.get(key);
      this.#keys.set(key, other ?? shard);
      if (other === undefined) continue;
      const where = other === shard ? "before it" : `in "${other.path}"`;
      const message =
        `sample "${key}" at byte ${offsetBytes}: there is one of the same key ${where}`;
      this.#tell(path, offsetBytes, message);
    }
    this.#observer.shard(shard);
  }

  /** Something wrong with a file that is no shard, or with all of them together. */
  whole(path: string | null, message: string): void {
    this.#tell(path, null, message);
  }

  /** Compares how many there are of `what` with how many are `wanted`; null: any number. */
  compare(what: "shards" | "samples", wanted: number | null): void {
    const number = what === "shards" ? this.#shards : this.#samples;
    if (wanted === null || number === wanted) return;
    this.#tell(null, null, `found ${number} ${what}, wanted ${wanted}`);
  }

  report(): DataSetReport {
    return {
      shards: this.#shards,
      samples: this.#samples,
      sizeBytes: this.#sizeBytes,
      labels: this.#labels,
      images: this.#images,
      problems: this.#problems,
    };
  }

  #tell(path: string | null, offsetBytes: number | null, message: string): void {
    this.#problems += 1;
    this.#observer.problem({ path, offsetBytes, message });
  }
}

function together(one: ImageSizes | null, other: ImageSizes | null): ImageSizes | null {
  if (one === null || other === null) return one ?? other;
  return {
    widthMin: Math.min(one.widthMin, other.widthMin),
    widthMax: Math.max(one.widthMax, other.widthMax),
    heightMin: Math.min(one.heightMin, other.heightMin),
    heightMax: Math.max(one.heightMax, other.heightMax),
  };
}

/** How many classes the file beside the shards of `directory` names; null when there is none. */
async function countClasses(directory: string): Promise<number | null> {
  try {
    const text = await Deno.readTextFile(join(directory, CLASSES_FILE));
    return text.split("\n").filter((line) => line !== "").length;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Files that look like shards and are passed over by every reader. */
async function strays(roots: readonly Root[]): Promise<string[]> {
  const found: string[] = [];
  for (const { path } of roots) {
    const names = await readdir(path, { recursive: true });
    const strange = names.filter((name) =>
      isDraftName(basename(name)) || name.endsWith(".tar") && !SHARD_NAME.test(basename(name))
    );
    found.push(...strange.sort().map((name) => join(path, name)));
  }
  return found;
}

function strayReason(path: string): string {
  return isDraftName(basename(path))
    ? "a shard that was never finished"
    : "not named shard-NNNNNN.tar, so nobody reads it";
}

/**
 * Numbers that are missing among the shards of one directory, of all roots together: even shards
 * may be in one root and odd ones in another. Where all that are there are equally far apart, as
 * even ones alone are, none is missing.
 */
export function gaps(roots: readonly Root[]): string[] {
  const directories = new Map<string, number[]>();
  for (const { name } of roots.flatMap(({ shards }) => shards)) {
    const numbers = directories.get(dirname(name)) ?? [];
    numbers.push(Number(SHARD_NAME.exec(basename(name))?.[1]));
    directories.set(dirname(name), numbers);
  }
  return [...directories].flatMap(([directory, numbers]) => {
    numbers.sort((one, other) => one - other);
    const distances = numbers.slice(1).map((number, index) => number - (numbers[index] ?? number));
    const step = distances.reduce(commonDivisor, 0);
    return distances.flatMap((distance, index) => {
      if (distance <= step) return [];
      const first = join(directory, shardName((numbers[index] ?? 0) + step));
      const others = distance / step - 2;
      return [`${first}${others > 0 ? ` and ${others} after it` : ""}: missing`];
    });
  });
}

function commonDivisor(one: number, other: number): number {
  return other === 0 ? one : commonDivisor(other, one % other);
}
