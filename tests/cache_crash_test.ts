/**
 * kill -9 at every durable step and at random moments: every byte read afterwards equals the
 * source, and nothing is left on disk that the index does not know.
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import type { DurableStep } from "../cache/durable_step.ts";
import { openIndex } from "./support/cached_rows.ts";
import { cachePlace, CacheProcess, dataFilesIn } from "./support/cache_process.ts";
import { CRASH_STEPS } from "./support/crash_steps.ts";
import { CRASH_CACHE, crashStore } from "./support/crash_workload.ts";
import { type SeededRandom, withSeed } from "./support/seeded_random.ts";

/** How often a cache is killed; more in the long form of the tests. */
const RUNS = Number(Deno.env.get("WARPDRIVE_CRASH_RUNS") ?? 20);
/** A step comes this often before it kills, at most: removals do not come that often. */
const STEP_COUNT_MAX = 12;
/** After so long a process that waits for its step is killed anyway. */
const LIFE_MS_MAX = 4_000;
/** What one process writes between two commits here, at most. */
const UNANNOUNCED_BYTES_MAX = 4 << 20;
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
  {
    await using process = await CacheProcess.start(path, backend, CRASH_CACHE);
    for (const { path, entry, content } of objects) await process.readsAs(path, entry, content);
    await process.settled();
    equal(process.metrics.corruptions, 0);
    equal(process.buffers.takenBytes, 0);
    equal(process.health.state.kind, "working");
  }
  const index = openIndex(`${path}/index.sqlite`);
  const rows = index.rows(null, 1_000);
  index.close();
  const known = rows.map(({ id }) => id.toString(16)).sort();
  const files = await dataFilesIn(path);
  deepEqual(files.map((file) => file.slice(file.lastIndexOf("/") + 1)).sort(), known);
  let bytes = 0;
  for (const file of files) bytes += ((await Deno.stat(file)).blocks ?? 0) * 512;
  // Written shortly before the crash and not announced: not charged until it is fetched again.
  const bytesMax = CRASH_CACHE.sizeBytesMax + UNANNOUNCED_BYTES_MAX + 4_096 * files.length;
  ok(bytes <= bytesMax, `${bytes} bytes are on disk`);
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
