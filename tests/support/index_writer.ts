/**
 * Fills an index as fast as it can until it is killed: a program of its own, run by the crash
 * tests. Says on stdout what it has committed, a line each, after the commit.
 */
import { CacheIndex } from "../../cache/index/cache_index.ts";
import { noStepHook } from "../../cache/disk/durable_step.ts";
import { systemClock } from "../../cache/platform/clock.ts";
import { newObject, wholeBlocks } from "./cached_rows.ts";

const [path = "", round = ""] = Deno.args;
const encoder = new TextEncoder();
const index = await CacheIndex.open({
  path,
  listings: { rowsMax: 100, bytesMax: 1_000_000 },
  clock: systemClock,
  timeoutMs: 30_000,
  step: noStepHook,
  onDamage(reason) {
    throw new Error(`A killed process damaged the index: ${reason}`);
  },
});

for (let number = 0;; number += 1) {
  const ids: number[] = [];
  for (let part = 0; part < 3; part += 1) {
    ids.push(await index.insert(newObject(`${round}/${number}/${part}`)));
  }
  // One transaction: all three or none.
  await index.commit(ids.map((id) => wholeBlocks(id, 4, number)));
  if (number % 5 === 4) await index.remove(ids);
  else Deno.stdout.writeSync(encoder.encode(`${number}\n`));
}
