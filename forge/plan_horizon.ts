/**
 * How much of its order a run tells a mount, and when: the present and the next epoch, as far as
 * the run gets. What is told and never read would be fetched for nothing. Pure.
 */
import type { Shard } from "./train/shards.ts";

/** Told ahead of the reader, at least: small epochs would otherwise need a call per shard. */
const AHEAD_MIN = 64;
/** Told ahead of the reader, at most: a mount holds a million reads for a plan. */
const AHEAD_MAX = 100_000;

/** What is known of a run before it reads. */
export interface RunOutline {
  /** The order of shards, from the first one. */
  readonly order: Iterator<Shard, never>;
  /** Shards in an epoch. */
  readonly epochShards: number;
  /** Samples that the run takes in all. */
  readonly samples: number;
  /** Bytes of shards that are read at once when it begins. */
  readonly headBytes: number;
}

/** Follows a run, and gives the shards that are to be told next. */
export class PlanHorizon {
  readonly #run: RunOutline;
  readonly #aheadShards: number;
  #told = 0;
  #consumedShards = 0;
  #consumedSamples = 0;

  constructor(run: RunOutline) {
    this.#run = run;
    this.#aheadShards = Math.min(Math.max(2 * run.epochShards, AHEAD_MIN), AHEAD_MAX);
  }

  /** The shards that are read in any case, before anything is known of their samples. */
  head(): Shard[] {
    const head: Shard[] = [];
    for (let bytes = 0; bytes < this.#run.headBytes && head.length < this.#aheadShards;) {
      const [shard] = this.#take(1);
      if (shard === undefined) break;
      head.push(shard);
      // A shard of no bytes takes its place, too.
      bytes += Math.max(shard.sizeBytes, 1);
    }
    return head;
  }

  /** The shards to tell when one more was consumed, which had so many samples; often none. */
  consumed(samples: number): Shard[] {
    this.#consumedShards += 1;
    this.#consumedSamples += samples;
    if (this.#told - this.#consumedShards >= this.#aheadShards / 2) return [];
    const end = Math.min(this.#consumedShards + this.#aheadShards, this.#neededShards());
    return this.#take(Math.max(0, end - this.#told));
  }

  /** Shards of the whole run, if all are like those so far. */
  #neededShards(): number {
    const perShard = this.#consumedSamples / this.#consumedShards;
    return Math.ceil(this.#run.samples / perShard);
  }

  #take(count: number): Shard[] {
    this.#told += count;
    return Array.from({ length: count }, () => this.#run.order.next().value);
  }
}
