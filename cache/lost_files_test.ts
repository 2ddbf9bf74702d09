/** Data files that are not as a process left them, found by the next one that has the cache. */
import { deepEqual, equal } from "node:assert/strict";
import { cachePlace, CacheProcess, dataFilesIn } from "../tests/support/cache_process.ts";
import { eventually } from "../tests/support/eventually.ts";
import { sampleBytes } from "../tests/support/sample_bytes.ts";
import { WatchedBackend } from "../tests/support/watched_backend.ts";
import { CHUNK_BYTES } from "./object/chunk_map.ts";

const MIB = 1 << 20;
const CONTENT = sampleBytes(MIB, 1);

Deno.test("data files that were lost, cut or replaced are counted, and told at once", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const entries = ["a", "b", "c", "d"].map((path) => ({
    path,
    entry: backend.seed(path, CONTENT),
  }));
  {
    await using process = await CacheProcess.start(at.path, backend);
    for (const { path, entry } of entries) await process.readsAs(path, entry, CONTENT);
    await process.settled();
  }
  const [lost, cut, replaced] = await dataFilesIn(at.path);
  await Deno.remove(lost ?? "");
  await Deno.truncate(cut ?? "", 10);
  await Deno.remove(replaced ?? "");
  await Deno.symlink("/dev/zero", replaced ?? "");
  await using process = await CacheProcess.start(at.path, backend);
  await eventually("they are told", () => Promise.resolve(process.logged("warn").length > 0));
  deepEqual(process.logged("warn"), [
    "Drop objects of the cache: their data files are not as they were left",
  ]);
  equal(process.metrics.corruptions, 3);
  for (const { path, entry } of entries) await process.readsAs(path, entry, CONTENT);
  equal(backend.bytesRead, 7 * MIB);
});

Deno.test("a data file with other bytes is told once, and each of its chunks counted", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const entry = backend.seed("a", CONTENT);
  {
    await using process = await CacheProcess.start(at.path, backend);
    await process.readsAs("a", entry, CONTENT);
    await process.settled();
  }
  const [file] = await dataFilesIn(at.path);
  await Deno.writeFile(file ?? "", sampleBytes(MIB, 2), { create: false });
  await using process = await CacheProcess.start(at.path, backend);
  await process.readsAs("a", entry, CONTENT);
  equal(process.metrics.corruptions, MIB / CHUNK_BYTES);
  equal(process.logged("error").length, 1);
});
