/**
 * kill -9 at every durable step and at random moments: every byte read afterwards equals the
 * source, and nothing is left on disk that the index does not know.
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import type { DurableStep } from "../cache/disk/durable_step.ts";
import {
  dataFileFacts,
  ROUNDING_BYTES,
  rowsIn,
  unannouncedBytes,
} from "./support/cache_model_disk.ts";
import { cachePlace, CacheProcess } from "./support/cache_process.ts";
import { CRASH_STEPS } from "./support/crash_steps.ts";
import { CRASH_CACHE, crashStore } from "./support/crash_workload.ts";
import { eventually } from "./support/eventually.ts";
import { type SeededRandom, withSeed } from "./support/seeded_random.ts";

/** How often a cache is killed; more in the long form of the tests. */
const RUNS = Number(Deno.env.get("WARPDRIVE_CRASH_RUNS") ?? 20);
/** A step comes this often before it kills, at most: removals do not come that often. */
const STEP_COUNT_MAX = 12;
/** After so long a process that waits for its step is killed anyway. */
const LIFE_MS_MAX = 4_000;
const FILLER = new URL("./support/cache_filler.ts", import.meta.url).pathname;

/** When a process is killed. */
type Moment =
  | { readonly kind: "step"; readonly step: DurableStep; readonly count: number }
  | { readonly kind: "after"; readonly ms: number };

function momentOf(run: number, random: SeededRandom): Moment {
  const step = CRASH_STEPS[run];
  if (step !== undefined) return { kind: "step", step, count: 1 + random.below(3) };
  switch (random.below(4)) {
    case 0:
      // While it starts, and verifies what it finds.
      return { kind: "after", ms: random.below(250) };
    case 1:
      return { kind: "after", ms: random.below(2_500) };
    default: {
      const count = 1 + random.below(STEP_COUNT_MAX);
      return { kind: "step", step: random.pick(CRASH_STEPS), count };
    }
  }
}

/** Runs a process on the cache in `path` until its moment has come. */
async function crash(path: string, moment: Moment, seed: number): Promise<void> {
  const at = moment.kind === "step" ? [moment.step, String(moment.count)] : ["none", "0"];
  await using child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", FILLER, path, String(seed), ...at],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(child.stderr).text();
  const stdout = child.stdout.getReader();
  await stdout.read();
  const ms = moment.kind === "after" ? moment.ms : LIFE_MS_MAX;
  const timer = setTimeout(() => child.kill("SIGKILL"), ms);
  const { signal } = await child.status;
  clearTimeout(timer);
  await stdout.cancel();
  equal(signal, "SIGKILL", await stderr);
  await stderr;
}

/** Reads everything through the cache that was left, and compares disk and index afterwards. */
async function examine(path: string): Promise<void> {
  const { backend, objects } = crashStore();
  // Written shortly before the crash: it stays until it is fetched again, or evicted.
  const unannounced = await unannouncedBytes(path);
  {
    await using process = await CacheProcess.start(path, backend, CRASH_CACHE);
    for (const { path, entry, content } of objects) await process.readsAs(path, entry, content);
    // A process may have been killed before what it evicted had left.
    await eventually("all that is kept fits", async () => {
      await process.settled();
      const { cachedBytes } = await process.index.totals();
      return cachedBytes <= CRASH_CACHE.sizeBytesMax;
    });
    equal(process.metrics.corruptions, 0);
    equal(process.buffers.takenBytes, 0);
    equal(process.health.state.kind, "working");
  }
  const rows = await rowsIn(path);
  const files = await dataFileFacts(path);
  deepEqual(files.map(({ id }) => id).sort(), rows.map(({ id }) => id.toString(16)).sort());
  const announced = rows.reduce((sum, { cachedBytes }) => sum + cachedBytes, 0);
  const allocated = files.reduce((sum, { allocatedBytes }) => sum + allocatedBytes, 0);
  const most = announced + unannounced + ROUNDING_BYTES * files.length;
  ok(allocated <= most, `${allocated} bytes are on disk, ${announced} announced`);
}

Deno.test(`A cache killed ${RUNS} times gives right bytes and loses no space`, async () => {
  await withSeed(20_261_122, async (random) => {
    await using at = await cachePlace();
    for (let run = 0; run < RUNS; run += 1) {
      const moment = momentOf(run, random);
      try {
        await crash(at.path, moment, random.below(1_000_000));
        await examine(at.path);
      } catch (cause) {
        throw new Error(`Run ${run}, killed at ${JSON.stringify(moment)}`, { cause });
      }
    }
  });
});
