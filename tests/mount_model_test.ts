/** Random steps on a real mount of a real store. What fails is shortened, and printed. */
import { ok } from "node:assert/strict";
import fc from "fast-check";
import { MountModel, mountSteps } from "./support/mount_model.ts";
import { createPlace } from "./support/place.ts";
import { RemoteStore } from "./support/remote_store.ts";
import { SEED_VARIABLE } from "./support/seeded_random.ts";

/** More in the long form of the tests. */
const RUNS = Number(Deno.env.get("WARPDRIVE_MOUNT_MODEL_RUNS") ?? 3);
const STEPS_MAX = 120;
const SEED = Number(Deno.env.get(SEED_VARIABLE) ?? 20_261_123);
/** Shortening ends here, with the shortest run that failed by then. */
const SHORTENING_MS_MAX = 180_000;
const EVENTS = ["read", "scan", "list", "ENOENT", "kill"];

Deno.test(`A mount keeps to its store in ${RUNS} random runs, seed ${SEED}`, async () => {
  await using store = await RemoteStore.start();
  const seen = new Map<string, number>();
  let runs = 0;
  const property = fc.asyncProperty(mountSteps(STEPS_MAX), async (steps) => {
    runs += 1;
    await using place = await createPlace();
    await using model = await MountModel.create(store, `model${runs}`, place, seen);
    for (const step of steps) await model.step(step);
    await model.end();
  });
  await fc.assert(property, {
    seed: SEED,
    numRuns: RUNS,
    interruptAfterTimeLimit: RUNS * 60_000 + SHORTENING_MS_MAX,
    markInterruptAsFailure: true,
  });
  for (const event of EVENTS) ok(seen.has(event), `There was no ${event}`);
});
