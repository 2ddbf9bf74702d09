/** A cache is ready at once, whatever it holds: what it holds is looked at in the background. */
import { deepEqual, equal } from "node:assert/strict";
import { DATA_DIRECTORIES } from "../cache/disk/cache_directory.ts";
import { residencyKey } from "../cache/disk/cache_space.ts";
import { systemClock } from "../cache/platform/clock.ts";
import { newObject, openIndex, wholeBlocks } from "./support/cached_rows.ts";
import { cachePlace, CacheProcess } from "./support/cache_process.ts";
import { eventually } from "./support/eventually.ts";
import { sampleBytes } from "./support/sample_bytes.ts";
import { WatchedBackend } from "./support/watched_backend.ts";

const MIB = 1 << 20;
const BLOCK_BYTES = 4 * MIB;
/** A million in the long form of the tests. */
const BLOCKS = Number(Deno.env.get("WARPDRIVE_START_BLOCKS") ?? 20_000);
const BLOCKS_PER_OBJECT = 10;
const OBJECTS = Math.ceil(BLOCKS / BLOCKS_PER_OBJECT);
/** Objects of one transaction, which keeps the log of the index short. */
const BATCH = 500;
const CONTENT = sampleBytes(3 * MIB, 5);

/** Adds objects to the cache at `path` that are whole, as far as their rows and files say. */
async function fill(path: string): Promise<void> {
  const index = openIndex(`${path}/index.sqlite`);
  const sizeBytes = BLOCKS_PER_OBJECT * BLOCK_BYTES;
  for (let first = 0; first < OBJECTS; first += BATCH) {
    const ids = Array.from(
      { length: Math.min(BATCH, OBJECTS - first) },
      (_, number) => index.insert({ ...newObject(`shard${first + number}`), sizeBytes }),
    );
    index.commit(ids.map((id) => wholeBlocks(id, BLOCKS_PER_OBJECT, 1)));
    for (const id of ids) {
      const directory = (id % DATA_DIRECTORIES).toString(16).padStart(2, "0");
      const file = `${path}/data/${directory}/${id.toString(16)}`;
      await Deno.writeFile(file, new Uint8Array());
      await Deno.truncate(file, sizeBytes);
    }
  }
  index.close();
}

Deno.test(`A cache of ${BLOCKS} blocks is ready before it has looked at them`, async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const entry = backend.seed("known", CONTENT);
  const settings = { sizeBytesMax: 2 ** 50 };
  {
    await using process = await CacheProcess.start(at.path, backend, settings);
    await process.readsAs("known", entry, CONTENT);
    await process.settled();
  }
  await fill(at.path);
  backend.reads.length = 0;
  const startMs = systemClock.monotonicMs();
  await using process = await CacheProcess.start(at.path, backend, settings);
  const readyMs = systemClock.monotonicMs() - startMs;
  const last = residencyKey("train", `shard${OBJECTS - 1}`, "v1");
  equal(process.cache.placeOf(last), "absent");
  await process.readsAs("known", entry, CONTENT);
  const readMs = systemClock.monotonicMs() - startMs;
  deepEqual(backend.reads, []);
  await eventually("all rows are known", () => {
    return Promise.resolve(process.cache.placeOf(last) === "resident");
  });
  const knownMs = systemClock.monotonicMs() - startMs;
  await process.settled();
  equal(process.metrics.corruptions, 0);
  const figures =
    `ready after ${readyMs.toFixed(0)} ms, first read after ${readMs.toFixed(0)} ms, ` +
    `all of ${OBJECTS} objects known after ${knownMs.toFixed(0)} ms\n`;
  Deno.stderr.writeSync(new TextEncoder().encode(figures));
});
