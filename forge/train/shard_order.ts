/** Which shard comes next: for ever, epoch after epoch. */
import { Xoshiro128 } from "../../cache/platform/random.ts";
import type { Root, Shard } from "./shards.ts";

/** Stream of a seed that the order is drawn from. */
const ORDER_STREAM = 0;

/**
 * The shards of one epoch after the other. Each epoch shuffles every root's shards, in the order of
 * the roots, then takes one from each root in turn until none is left. Depends on nothing but
 * `seed` and the names below the roots.
 */
export function* epochs(roots: readonly Root[], seed: number): Generator<readonly Shard[], never> {
  const random = Xoshiro128.seeded(seed, ORDER_STREAM);
  while (true) yield interleaved(roots.map(({ shards }) => random.shuffled(shards)));
}

/** The shards of all epochs, one after the other. */
export function* shardOrder(roots: readonly Root[], seed: number): Generator<Shard, never> {
  const endless = epochs(roots, seed);
  while (true) yield* endless.next().value;
}

function interleaved(lists: readonly (readonly Shard[])[]): Shard[] {
  const longest = Math.max(...lists.map((list) => list.length));
  const order: Shard[] = [];
  for (let turn = 0; turn < longest; turn += 1) {
    for (const list of lists) {
      const shard = list[turn];
      if (shard !== undefined) order.push(shard);
    }
  }
  return order;
}
