/**
 * Writes a data set: shards are made on several threads, then published in turn to their targets,
 * the first to the first target, the second to the second, and so on. With two targets that is
 * the convention of the trainer: even shards in one, odd shards in the other.
 */
import { assert } from "../../cache/platform/assert.ts";
import { CommandError } from "../../cache/platform/exit.ts";
import type { DatasetWorkers } from "./dataset_workers.ts";
import { mapInOrder } from "./in_order.ts";
import type { MakeJob, PackJob, WrittenShard } from "./jobs.ts";
import { isDraftName, shardName } from "./names.ts";
import type { ShardTarget } from "./shard_target.ts";

/** What to make a shard from: a job that does not know yet where to write. */
export type ShardPlan = Omit<MakeJob, "path"> | Omit<PackJob, "path">;

/** A data set to write. */
export interface DataSetPlan {
  /** Shard by shard, in order. */
  readonly shards: Iterable<ShardPlan>;
  /** Text files beside the shards, by name. */
  readonly texts: ReadonlyMap<string, string>;
  /** At least one. */
  readonly targets: readonly ShardTarget[];
  /** Shards made and uploaded at once. */
  readonly parallel: number;
  /** Replace the shards that are there. */
  readonly force: boolean;
}

/** What was written. */
export interface WrittenDataSet {
  readonly shards: number;
  readonly samples: number;
  readonly sizeBytes: number;
  readonly skipped: readonly string[];
}

/**
 * Writes `plan`; `onShard` hears of each shard that is in its place.
 *
 * @throws {CommandError} when there are shards already and they are not to be replaced.
 */
export async function writeShards(
  plan: DataSetPlan,
  workers: DatasetWorkers,
  onShard: (shard: WrittenShard) => void,
  signal: AbortSignal,
): Promise<WrittenDataSet> {
  const { targets } = plan;
  const before = await claim(targets, plan.force, signal);
  let shards = 0;
  let samples = 0;
  let sizeBytes = 0;
  const skipped: string[] = [];
  const write = async ([index, shard]: readonly [number, ShardPlan], signal: AbortSignal) => {
    const target = targetOf(targets, index);
    const name = shardName(index);
    const job = { ...shard, path: target.draftPath(name) };
    const written = await workers.write(job, target, signal);
    await target.publish(name, signal);
    return written;
  };
  for await (const shard of mapInOrder(numbered(plan.shards), plan.parallel, signal, write)) {
    shards += 1;
    samples += shard.samples;
    sizeBytes += shard.sizeBytes;
    skipped.push(...shard.skipped);
    onShard(shard);
  }
  for (const target of targets) {
    for (const [name, text] of plan.texts) await target.writeText(name, text, signal);
  }
  await removeOlder(before, shards, signal);
  return { shards, samples, sizeBytes, skipped };
}

function* numbered<T>(items: Iterable<T>): Generator<readonly [number, T]> {
  let index = 0;
  for (const item of items) {
    yield [index, item];
    index += 1;
  }
}

function targetOf(targets: readonly ShardTarget[], index: number): ShardTarget {
  const target = targets[index % targets.length];
  assert(target !== undefined, "There is a target");
  return target;
}

/** Makes sure that nothing is lost unasked; the shards that were there before. */
async function claim(
  targets: readonly ShardTarget[],
  force: boolean,
  signal: AbortSignal,
): Promise<ReadonlyMap<ShardTarget, readonly string[]>> {
  const before = new Map<ShardTarget, readonly string[]>();
  for (const target of targets) before.set(target, await target.existing(signal));
  if (!force) refuseExisting(before);
  for (const [target, names] of before) {
    for (const name of names.filter(isDraftName)) await target.remove(name, signal);
    await target.prepare();
  }
  return before;
}

function refuseExisting(before: ReadonlyMap<ShardTarget, readonly string[]>): void {
  const taken = [...before].find(([, names]) => names.length > 0);
  if (taken === undefined) return;
  const [{ place }, names] = taken;
  const finished = names.filter((name) => !isDraftName(name));
  const [first] = finished;
  const others = finished.length > 1 ? ` and ${finished.length - 1} more` : "";
  const reason = first === undefined
    ? `another run is writing there, or was killed: it left "${names[0]}"`
    : `it holds "${first}"${others}`;
  throw new CommandError(
    "failed",
    `Cannot write shards to "${place}": ${reason}`,
    "Name another place, or replace the shards that are there with --force",
  );
}

/** Takes away shards of the data set before that this one did not replace. */
async function removeOlder(
  before: ReadonlyMap<ShardTarget, readonly string[]>,
  shards: number,
  signal: AbortSignal,
): Promise<void> {
  const targets = [...before.keys()];
  const written = new Map<ShardTarget, Set<string>>(targets.map((target) => [target, new Set()]));
  for (let index = 0; index < shards; index += 1) {
    written.get(targetOf(targets, index))?.add(shardName(index));
  }
  for (const [target, names] of before) {
    const older = names.filter((name) => !isDraftName(name) && !written.get(target)?.has(name));
    for (const name of older) await target.remove(name, signal);
  }
}
