/** What may stay, and that the disk is never asked for more than it may give. */
import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import {
  cachePlace,
  CacheProcess,
  dataFilesIn,
  readAt,
  readsAs,
} from "../../tests/support/cache_process.ts";
import { eventually } from "../../tests/support/eventually.ts";
import { sampleBytes } from "../../tests/support/sample_bytes.ts";
import { WatchedBackend } from "../../tests/support/watched_backend.ts";
import type { ObjectEntry } from "../backend/backend.ts";

const MIB = 1 << 20;
const KIB = 1 << 10;

interface Sample {
  readonly path: string;
  readonly content: Uint8Array<ArrayBuffer>;
  readonly entry: ObjectEntry;
}

function samples(backend: WatchedBackend, count: number, sizeBytes: number): Sample[] {
  return Array.from({ length: count }, (_, number) => {
    const content = sampleBytes(sizeBytes, number);
    return { path: `file${number}`, content, entry: backend.seed(`file${number}`, content) };
  });
}

/** Bytes on disk that the data files below `root` take. */
async function bytesOnDisk(root: string): Promise<number> {
  let bytes = 0;
  for (const path of await dataFilesIn(root)) {
    // One may be evicted between its listing and this.
    const status = await Deno.stat(path).catch(() => null);
    bytes += (status?.blocks ?? 0) * 512;
  }
  return bytes;
}

Deno.test("CacheSpace holds max_size, whatever is read", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const all = samples(backend, 48, MIB - 5);
  const sizeBytesMax = 16 * MIB;
  await using process = await CacheProcess.start(at.path, backend, { sizeBytesMax, policy: "lru" });
  for (const { path, entry, content } of all) {
    await process.readsAs(path, entry, content);
    // What is open, or waits for its commit, is no victim; nothing is taken in instead.
    const bytes = await bytesOnDisk(at.path);
    ok(bytes <= sizeBytesMax + 8 * KIB, `${bytes} bytes`);
  }
  await process.settled();
  await process.allClosed();
  for (const { path, entry, content } of all.slice(0, 5)) {
    await process.readsAs(path, entry, content);
    await process.settled();
    await process.allClosed();
    const bytes = await bytesOnDisk(at.path);
    ok(bytes <= sizeBytesMax + 8 * KIB, `${bytes} bytes`);
  }
  ok(process.metrics.evictions >= 5);
  equal(process.buffers.takenBytes, 0);
});

Deno.test("CacheSpace counts what grows after a restart", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const all = samples(backend, 30, MIB);
  const settings = { sizeBytesMax: 16 * MIB, policy: "lru", readaheadBlocks: 0 } as const;
  {
    await using process = await CacheProcess.start(at.path, backend, settings);
    for (const { path, entry, content } of all.slice(0, 16)) {
      const object = await process.open(path, entry);
      deepEqual(await readAt(object, 0, 4_096), content.slice(0, 4_096));
      object.close();
    }
  }
  await using process = await CacheProcess.start(at.path, backend, settings);
  for (const { path, entry, content } of all.toReversed()) {
    await process.readsAs(path, entry, content);
    await process.settled();
    const bytes = await bytesOnDisk(at.path);
    ok(bytes <= settings.sizeBytesMax + 8 * KIB, `${bytes} bytes`);
  }
});

Deno.test("CacheSpace takes out at once what is over a limit that was lowered", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const all = samples(backend, 8, MIB);
  const sizeBytesMax = 3 * MIB;
  {
    await using process = await CacheProcess.start(at.path, backend, { policy: "none" });
    for (const { path, entry, content } of all) await process.readsAs(path, entry, content);
    await process.settled();
  }
  for (const policy of ["none", "lru"] as const) {
    await using process = await CacheProcess.start(at.path, backend, { sizeBytesMax, policy });
    await eventually("it is what fits", async () => {
      await process.settled();
      return await bytesOnDisk(at.path) <= sizeBytesMax + 8 * KIB;
    });
    ok(await bytesOnDisk(at.path) > 0);
  }
});

Deno.test("CacheSpace keeps as much of an object larger than the cache as fits", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const [large] = samples(backend, 1, 24 * MIB);
  ok(large);
  const settings = { sizeBytesMax: 8 * MIB, blockBytes: MIB, policy: "lru" } as const;
  await using process = await CacheProcess.start(at.path, backend, settings);
  await process.readsAs(large.path, large.entry, large.content);
  await process.settled();
  equal(backend.bytesRead, large.content.length);
  ok(await bytesOnDisk(at.path) <= 8 * MIB + 4 * KIB);
  await process.readsAs(large.path, large.entry, large.content);
  ok(backend.bytesRead <= 2 * large.content.length);
  await process.settled();
  equal(process.buffers.takenBytes, 0);
});

Deno.test("CacheSpace keeps in memory what it refused until it was used", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const all = samples(backend, 16, MIB);
  const settings = { sizeBytesMax: 16 * MIB, blockBytes: MIB, policy: "none" } as const;
  await using process = await CacheProcess.start(at.path, backend, settings);
  for (const { path, entry, content } of all) await process.readsAs(path, entry, content);
  await process.settled();
  backend.reads.length = 0;
  const content = sampleBytes(12 * MIB, 99);
  const entry = backend.seed("refused", content);
  const object = await process.open("refused", entry);
  await readsAs(object, content);
  equal(object.backingFd, null);
  equal(backend.bytesRead, content.length);
  ok(process.metrics.readaheadHits > 0);
  object.close();
  await process.settled();
  equal(process.buffers.takenBytes, 0);
  equal(process.metrics.evictions, 0);
  for (const { path, entry, content } of all) await process.readsAs(path, entry, content);
  equal(backend.bytesRead, 12 * MIB);
});

Deno.test("CacheSpace takes nothing away from those who have it open", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const all = samples(backend, 40, MIB);
  const [first] = all;
  ok(first);
  const settings = { sizeBytesMax: 16 * MIB, policy: "lru" } as const;
  await using process = await CacheProcess.start(at.path, backend, settings);
  const object = await process.open(first.path, first.entry);
  await readsAs(object, first.content);
  for (const { path, entry, content } of all.slice(1)) {
    await process.readsAs(path, entry, content);
    await process.settled();
  }
  notEqual(object.backingFd, null);
  await readsAs(object, first.content);
  equal(backend.bytesRead, 40 * MIB);
  object.close();
});

Deno.test("CacheSpace charges what a crash left on disk and in no row", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const all = samples(backend, 16, MIB);
  const settings = { sizeBytesMax: 32 * MIB, readaheadBlocks: 0 } as const;
  {
    await using process = await CacheProcess.start(at.path, backend, settings);
    for (const { path, entry } of all) {
      const object = await process.open(path, entry);
      await readAt(object, 0, 4_096);
      object.close();
    }
  }
  // Written by a process that was killed before the next commit.
  for (const path of await dataFilesIn(at.path)) {
    using file = await Deno.open(path, { write: true });
    await file.write(new Uint8Array(MIB));
  }
  await using process = await CacheProcess.start(at.path, backend, settings);
  await process.settled();
  await eventually("it is charged", () => Promise.resolve(process.metrics.bytes === 16 * MIB));
});

Deno.test("CacheSpace lets dead data go in the background above the high water mark", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const all = samples(backend, 16, MIB);
  const settings = { sizeBytesMax: 16 * MIB, policy: "lru" } as const;
  await using process = await CacheProcess.start(at.path, backend, settings);
  for (const { path, entry, content } of all) await process.readsAs(path, entry, content);
  const lowBytes = 0.8 * settings.sizeBytesMax;
  await eventually("it is at its low water mark", () => {
    const { bytes } = process.metrics;
    return Promise.resolve(bytes <= lowBytes && bytes > lowBytes - 2 * MIB);
  });
  equal(process.metrics.evictions, 4);
});
