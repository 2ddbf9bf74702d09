import { deepEqual, equal } from "node:assert/strict";
import {
  cachePlace,
  CacheProcess,
  dataFilesIn,
  readAt,
  readsAs,
} from "../tests/support/cache_process.ts";
import { eventually } from "../tests/support/eventually.ts";
import { HangingLibc } from "../tests/support/hanging_libc.ts";
import { sampleBytes } from "../tests/support/sample_bytes.ts";
import { WatchedBackend } from "../tests/support/watched_backend.ts";

const MIB = 1 << 20;
const NEVER = new AbortController().signal;
const ALL = { kind: "all" } as const;
const CONTENT = sampleBytes(2 * MIB, 5);
const NOTHING_DONE = () => undefined;

Deno.test("what is evicted and read again at once enters the cache again", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const entry = backend.seed("file", CONTENT);
  await using process = await CacheProcess.start(at.path, backend);
  const { operations } = process.cache;
  for (let times = 1; times <= 3; times += 1) {
    await process.readsAs("file", entry, CONTENT);
    await process.settled();
    // Closed, and not committed yet.
    equal((await operations.evict(ALL, NEVER)).objects, 1);
  }
  backend.reads.length = 0;
  await process.readsAs("file", entry, CONTENT);
  await process.settled();
  await process.allClosed();
  equal(backend.reads.length > 0, true);
  deepEqual(await operations.totals(), { objects: 1, cachedBytes: 2 * MIB });
  await eventually("its file alone is left", async () => (await dataFilesIn(at.path)).length === 1);
});

Deno.test("what is evicted and warmed again at once enters the cache again", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const entry = backend.seed("file", CONTENT);
  await using process = await CacheProcess.start(at.path, backend);
  const { operations } = process.cache;
  const wanted = { backend: "store", path: "file", entry, uid: 0 };
  for (let times = 1; times <= 3; times += 1) {
    using job = operations.warm();
    deepEqual(await job.warm(wanted, NOTHING_DONE, NEVER), {
      ...{ kind: "warm", bytesFetched: 2 * MIB, bytesSkipped: 0 },
    });
    equal((await operations.evict(ALL, NEVER)).objects, 1);
  }
  await process.allClosed();
  await eventually("nothing is left", async () => (await dataFilesIn(at.path)).length === 0);
  deepEqual(await operations.totals(), { objects: 0, cachedBytes: 0 });
});

Deno.test("a warm job says that it cannot keep what was evicted while it is open", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const entry = backend.seed("file", CONTENT);
  await using process = await CacheProcess.start(at.path, backend);
  const { operations } = process.cache;
  const object = await process.open("file", entry);
  await readAt(object, 0, MIB);
  await process.settled();
  await operations.evict(ALL, NEVER);
  using job = operations.warm();
  const wanted = { backend: "store", path: "file", entry, uid: 0 };
  deepEqual(await job.warm(wanted, NOTHING_DONE, NEVER), {
    ...{ kind: "not kept", reason: "it was evicted, and somebody still has it open" },
  });
  object.close();
  await process.settled();
  equal((await job.warm(wanted, NOTHING_DONE, NEVER)).kind, "warm");
});

Deno.test("nothing is charged any more of what was evicted while it was written", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const entry = backend.seed("file", CONTENT);
  const disk = new HangingLibc();
  await using process = await CacheProcess.start(at.path, backend, { libc: disk.libc });
  const { operations } = process.cache;
  disk.hang("writeAtLater");
  await process.readsAs("file", entry, CONTENT);
  await eventually("it left", async () => (await operations.evict(ALL, NEVER)).objects === 1);
  disk.answer();
  await process.settled();
  await process.allClosed();
  await eventually("its bytes are told", () => Promise.resolve(process.metrics.bytes === 0));
  const other = backend.seed("other", CONTENT);
  await process.readsAs("other", other, CONTENT);
  await eventually("they are all", () => Promise.resolve(process.metrics.bytes === 2 * MIB));
});

for (const call of ["openLater", "statusLater"] as const) {
  Deno.test(`what is evicted while it is opened, in ${call}, is cached anew`, async () => {
    await using at = await cachePlace();
    const backend = new WatchedBackend();
    const entry = backend.seed("file", CONTENT);
    {
      await using process = await CacheProcess.start(at.path, backend);
      // The rest is written to a file that was opened, not created.
      const object = await process.open("file", entry);
      await readAt(object, 0, 1);
      object.close();
      await process.settled();
    }
    const disk = new HangingLibc();
    await using process = await CacheProcess.start(at.path, backend, { libc: disk.libc });
    const { operations } = process.cache;
    await process.settled();
    disk.hang(call);
    const opening = process.open("file", entry);
    await eventually("it left", async () => (await operations.evict(ALL, NEVER)).objects === 1);
    await eventually("its file too", async () => (await dataFilesIn(at.path)).length === 0);
    disk.answer();
    const object = await opening;
    await readsAs(object, CONTENT);
    object.close();
    await process.settled();
    await process.allClosed();
    deepEqual([process.logged("error"), process.logged("warn")], [[], []]);
    equal(process.metrics.corruptions, 0);
    deepEqual(await operations.totals(), { objects: 1, cachedBytes: 2 * MIB });
    await eventually(
      "it is charged once",
      () => Promise.resolve(process.metrics.bytes === 2 * MIB),
    );
  });
}
