/**
 * Random steps on a cache with a real directory, a store that changes and breaks, and a disk that
 * is damaged between two processes. What fails is shortened, and printed with its seed.
 */
import { ok } from "node:assert/strict";
import fc from "fast-check";
import { CacheModel } from "./support/cache_model.ts";
import { cacheRuns } from "./support/cache_model_steps.ts";
import { SEED_VARIABLE } from "./support/seeded_random.ts";

/** More in the long form of the tests. */
const RUNS = Number(Deno.env.get("WARPDRIVE_MODEL_RUNS") ?? 10);
const STEPS_MAX = 250;
const SEED = Number(Deno.env.get(SEED_VARIABLE) ?? 20_261_122);
/** With a seed, begins with the run that a failure named. */
const PATH = Deno.env.get("WARPDRIVE_TEST_PATH");
/** Shortening ends here, with the shortest run that failed by then. */
const SHORTENING_MS_MAX = 120_000;

/** What happens in any number of runs worth having. */
const EVENTS = [
  "read from the store",
  "read from disk",
  "read of an old version",
  "read in an outage",
  "scan",
  "interrupted",
  "changed",
  "unavailable",
  "evictions",
  "corruptions",
  "readaheadHits",
  "rest",
  "restart",
  "kill",
];

Deno.test(`A cache keeps to its store in ${RUNS} random runs, seed ${SEED}`, async () => {
  const seen = new Map<string, number>();
  const property = fc.asyncProperty(cacheRuns(STEPS_MAX), async ({ policy, steps }) => {
    await using model = await CacheModel.create(policy, seen);
    for (const step of steps) await model.step(step);
    await model.end();
  });
  await fc.assert(property, {
    seed: SEED,
    ...(PATH === undefined ? {} : { path: PATH }),
    numRuns: RUNS,
    interruptAfterTimeLimit: RUNS * 10_000 + SHORTENING_MS_MAX,
    markInterruptAsFailure: true,
  });
  for (const event of EVENTS) ok(seen.has(event), `There was no ${event}`);
});
