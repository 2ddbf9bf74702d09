import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import {
  cachePlace,
  CacheProcess,
  dataFilesIn,
  readAt,
  readsAs,
} from "../../tests/support/cache_process.ts";
import { eventually } from "../../tests/support/eventually.ts";
import { sampleBytes } from "../../tests/support/sample_bytes.ts";
import { HeldAnswers, WatchedBackend } from "../../tests/support/watched_backend.ts";
import type { ObjectEntry } from "../backend/backend.ts";
import type { CacheSelector } from "./cache_selector.ts";
import { CHUNK_BYTES } from "../object/chunk_map.ts";

const MIB = 1 << 20;
const NEVER = new AbortController().signal;
const ALL: CacheSelector = { kind: "all" };
const UNOBSERVED = { progress: () => undefined, damaged: () => undefined };
const NOTHING_EVICTED = { objects: 0, bytes: 0, openBytes: 0, pinned: 0 };

interface Sample {
  readonly path: string;
  readonly content: Uint8Array<ArrayBuffer>;
  readonly entry: ObjectEntry;
}

function samples(backend: WatchedBackend, paths: readonly string[], sizeBytes = MIB): Sample[] {
  return paths.map((path, number) => {
    const content = sampleBytes(sizeBytes, number);
    return { path, content, entry: backend.seed(path, content) };
  });
}

async function readAll(process: CacheProcess, all: readonly Sample[]): Promise<void> {
  for (const { path, entry, content } of all) await process.readsAs(path, entry, content);
  await process.settled();
  await process.allClosed();
}

function below(path: string): CacheSelector {
  return { kind: "places", places: [{ backend: "store", path }] };
}

function warmed({ path, entry }: Sample) {
  return { backend: "store", path, entry, uid: 7 };
}

Deno.test("CacheOperations tells what the whole cache holds, and who brought it in", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const all = samples(backend, ["top", "a/1"]);
  await using process = await CacheProcess.start(at.path, backend);
  await readAll(process, all);
  const { operations } = process.cache;
  deepEqual(await operations.totals(), { objects: 2, cachedBytes: 2 * MIB });
  deepEqual((await operations.usage()).map(({ backend, uid }) => [backend, uid]), [["store", 0]]);
});

Deno.test("CacheOperations evicts a directory, and not what begins like it", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const all = samples(backend, ["a", "a-b", "a/1", "a/b/2", "ab/3"]);
  await using process = await CacheProcess.start(at.path, backend);
  await readAll(process, all);
  const { operations } = process.cache;
  deepEqual(await operations.evict(below("a"), NEVER), {
    objects: 3,
    bytes: 3 * MIB,
    openBytes: 0,
    pinned: 0,
  });
  await eventually("the files are gone", async () => (await dataFilesIn(at.path)).length === 2);
  deepEqual(await operations.evict(below("a"), NEVER), NOTHING_EVICTED);
  equal((await operations.evict(ALL, NEVER)).objects, 2);
});

Deno.test("CacheOperations breaks no reader of what it evicts", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const [sample] = samples(backend, ["file"], 8 * MIB);
  ok(sample);
  await using process = await CacheProcess.start(at.path, backend, { readaheadBlocks: 0 });
  const object = await process.open(sample.path, sample.entry);
  await readAt(object, 0, MIB);
  await process.settled();
  await process.index.commit([]);
  // However long ago it was read.
  const everything = { olderThanMs: 0, minSizeBytes: 0, limit: 1 };
  deepEqual((await process.cache.operations.stale(everything, NEVER)).rows, []);
  deepEqual(await process.cache.operations.evictable(below("file"), NEVER), {
    ...{ objects: 1, bytes: MIB, openBytes: MIB, pinned: 0 },
  });
  equal((await process.cache.operations.evict(below("file"), NEVER)).objects, 1);
  await eventually("its file is gone", async () => (await dataFilesIn(at.path)).length === 0);
  await readsAs(object, sample.content);
  object.close();
  await process.settled();
  equal(process.metrics.corruptions, 0);
});

Deno.test("CacheOperations finds and evicts what nobody has read for long", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const all = samples(backend, ["one", "two", "three"]);
  const [small] = samples(backend, ["small"], 1_000);
  ok(small);
  await using process = await CacheProcess.start(at.path, backend);
  await readAll(process, [...all, small]);
  const { operations } = process.cache;
  const stale = async (olderThanMs: number, limit: number) => {
    const { rows, more } = await operations.stale(
      { olderThanMs, minSizeBytes: 2_000, limit },
      NEVER,
    );
    return [rows.map(({ path }) => path), more];
  };
  deepEqual(await stale(3_600_000, 10), [[], false]);
  deepEqual(await stale(0, 3), [["one", "two", "three"], false]);
  deepEqual(await stale(0, 2), [["one", "two"], true]);
  const old: CacheSelector = { kind: "stale", olderThanMs: 0, minSizeBytes: 2_000 };
  equal((await operations.evict(old, NEVER)).objects, 3);
  await process.settled();
  equal((await operations.totals()).objects, 1);
});

Deno.test("CacheOperations keeps what is pinned, also in the next process", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const all = samples(
    backend,
    Array.from({ length: 40 }, (_, number) => `d${number % 2}/${number}`),
  );
  const pinned = all.slice(0, 6);
  const settings = { sizeBytesMax: 16 * MIB, policy: "lru" } as const;
  {
    await using process = await CacheProcess.start(at.path, backend, settings);
    await readAll(process, pinned);
    const { operations } = process.cache;
    deepEqual(await operations.pin(ALL, NEVER), {
      ...{ objects: 6, bytes: 6 * MIB, incomplete: 0, refused: 0 },
    });
    deepEqual(await operations.evict(ALL, NEVER), { ...NOTHING_EVICTED, pinned: 6 });
  }
  await using process = await CacheProcess.start(at.path, backend, settings);
  const { operations } = process.cache;
  await readAll(process, all.slice(6));
  equal(operations.pinnedBytes, 6 * MIB);
  backend.reads.length = 0;
  await readAll(process, pinned);
  deepEqual(backend.reads, []);
  // No more than nine tenths of the cache.
  await operations.pin(ALL, NEVER);
  ok(operations.pinnedBytes <= 14.4 * MIB);
  ok(await operations.unpin(ALL, NEVER) >= 6);
  equal(operations.pinnedBytes, 0);
  equal((await operations.evict(ALL, NEVER)).pinned, 0);
});

Deno.test("CacheOperations refuses to pin more than nine tenths of the cache", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const all = samples(backend, Array.from({ length: 10 }, (_, number) => `f${number}`));
  const settings = { sizeBytesMax: 10 * MIB, policy: "none" } as const;
  await using process = await CacheProcess.start(at.path, backend, settings);
  await readAll(process, all);
  deepEqual(await process.cache.operations.pin(ALL, NEVER), {
    objects: 9,
    bytes: 9 * MIB,
    incomplete: 0,
    refused: 1,
  });
});

Deno.test("CacheOperations finds what was damaged after it had been verified", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const all = samples(backend, ["a", "b", "c", "d"]);
  await using process = await CacheProcess.start(at.path, backend);
  await readAll(process, all);
  const [first, second] = await dataFilesIn(at.path);
  ok(first && second);
  {
    using file = await Deno.open(first, { write: true });
    await file.seek(3 * CHUNK_BYTES + 5, Deno.SeekMode.Start);
    await file.write(new Uint8Array([1, 2, 3]));
  }
  await Deno.remove(second);
  const seen: number[] = [];
  const damaged: number[] = [];
  const outcome = await process.cache.operations.verify(ALL, {
    progress: ({ objects }) => seen.push(objects),
    damaged: (_row, bytes) => damaged.push(bytes),
  }, NEVER);
  deepEqual(damaged.sort((a, b) => a - b), [CHUNK_BYTES, MIB]);
  deepEqual(outcome, {
    kind: "verified",
    found: {
      objects: 4,
      bytes: 3 * MIB - CHUNK_BYTES,
      damagedBytes: MIB + CHUNK_BYTES,
      damagedObjects: 2,
    },
  });
  deepEqual(seen, [1, 2, 3, 4]);
  equal(process.metrics.corruptions, 2);
  await readAll(process, all);
  equal(process.metrics.corruptions, 2);
});

Deno.test("CacheOperations verifies a cache whose backends nobody has", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend("gone");
  const all = samples(backend, ["a", "b"]);
  {
    await using process = await CacheProcess.start(at.path, backend);
    await readAll(process, all);
  }
  await using process = await CacheProcess.start(at.path, new WatchedBackend("other"));
  const outcome = await process.cache.operations.verify(ALL, UNOBSERVED, NEVER);
  deepEqual([outcome.kind, outcome.found.bytes], ["verified", 2 * MIB]);
  await process.index.check();
});

Deno.test("CacheOperations describes versions that are cached, open or not", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const [sample] = samples(backend, ["file"], 9 * MIB);
  ok(sample);
  await using process = await CacheProcess.start(at.path, backend, { readaheadBlocks: 0 });
  const { operations } = process.cache;
  deepEqual(await operations.describe("store", "file"), []);
  const object = await process.open(sample.path, sample.entry);
  await readAt(object, 0, MIB);
  await readAt(object, 8 * MIB, MIB);
  await process.settled();
  const [open] = await operations.describe("store", "file");
  deepEqual(open?.chunks, { count: 72, present: 16 });
  deepEqual(open?.blocks, { count: 3, present: 1 });
  deepEqual([open?.opens, open?.admission, open?.verifiedChunks], [1, "admitted", 16]);
  deepEqual(open?.departure, { kind: "held" });
  object.close();
  await process.allClosed();
  const [closed] = await operations.describe("store", "file");
  deepEqual([closed?.opens, closed?.admission, closed?.chunks.present], [0, null, 16]);
  equal(closed?.departure?.kind, "ranked");
  equal(await operations.cachedBytes("store", "file", sample.entry.version), 2 * MIB);
  equal(await operations.cachedBytes("store", "file", "another"), null);
});

Deno.test("CacheOperations warms objects whole, and only what is missing of them", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const all = samples(backend, ["a", "b", "c"], 6 * MIB + 5);
  const [first] = all;
  ok(first);
  await using process = await CacheProcess.start(at.path, backend, { readaheadBlocks: 0 });
  const object = await process.open(first.path, first.entry);
  await readAt(object, 0, MIB);
  object.close();
  await process.settled();
  backend.reads.length = 0;
  using job = process.cache.operations.warm();
  let progress = 0;
  for (const sample of all) {
    const bytesSkipped: number = sample === first ? MIB : 0;
    deepEqual(await job.warm(warmed(sample), (bytes) => progress += bytes, NEVER), {
      kind: "warm",
      bytesFetched: 6 * MIB + 5 - bytesSkipped,
      bytesSkipped,
    });
  }
  equal(progress, 17 * MIB + 15);
  equal(backend.bytesRead, 17 * MIB + 15);
  const again = await job.warm(warmed(first), () => undefined, NEVER);
  deepEqual(again, { kind: "warm", bytesFetched: 0, bytesSkipped: 6 * MIB + 5 });
  equal(backend.bytesRead, 17 * MIB + 15);
  await process.allClosed();
  await readAll(process, all);
  equal(backend.bytesRead, 17 * MIB + 15);
  deepEqual((await process.index.usage()).map(({ uid }) => uid).sort(), [0, 7]);
});

Deno.test("a warm job displaces what was used often, but nothing of its own", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const used = samples(backend, Array.from({ length: 16 }, (_, number) => `used${number}`));
  const wanted = samples(backend, Array.from({ length: 20 }, (_, number) => `new${number}`));
  await using process = await CacheProcess.start(at.path, backend, { sizeBytesMax: 16 * MIB });
  for (let epoch = 0; epoch < 3; epoch += 1) await readAll(process, used);
  const job = process.cache.operations.warm();
  const outcomes: string[] = [];
  for (const sample of wanted) {
    outcomes.push((await job.warm(warmed(sample), () => undefined, NEVER)).kind);
  }
  deepEqual(outcomes, [...Array(16).fill("warm"), ...Array(4).fill("no room")]);
  job[Symbol.dispose]();
  await process.allClosed();
  backend.reads.length = 0;
  await readAll(process, wanted.slice(0, 16));
  deepEqual(backend.reads, []);
  equal(process.buffers.takenBytes, 0);
});

Deno.test("a warm job that is stopped ends its fetches, and is taken up again", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const [sample] = samples(backend, ["file"], 8 * MIB);
  ok(sample);
  const held = new HeldAnswers();
  backend.answering = (range, signal, pass) =>
    range.offset === 0 ? pass() : held.answering(range, signal, pass);
  await using process = await CacheProcess.start(at.path, backend);
  {
    using job = process.cache.operations.warm();
    const stop = new AbortController();
    let bytes = 0;
    const warming = job.warm(warmed(sample), (more) => {
      bytes += more;
      stop.abort(new Error("Stopped"));
    }, stop.signal);
    await rejects(warming, { message: "Stopped" });
    equal(bytes, 4 * MIB);
  }
  await eventually("its fetches are given up", () => {
    return Promise.resolve(process.buffers.takenBytes === 0);
  });
  backend.answering = (_range, _signal, pass) => pass();
  using job = process.cache.operations.warm();
  const outcome = await job.warm(warmed(sample), () => undefined, NEVER);
  deepEqual(outcome, { kind: "warm", bytesFetched: 4 * MIB, bytesSkipped: 4 * MIB });
});

Deno.test("a warm job says why it cannot", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const [sample, empty] = [samples(backend, ["a"])[0], samples(backend, ["empty"], 0)[0]];
  ok(sample && empty);
  await using process = await CacheProcess.start(at.path, backend);
  using job = process.cache.operations.warm();
  const warm = (backend: string, of: Sample) =>
    job.warm({ ...warmed(of), backend }, () => undefined, NEVER);
  deepEqual(await warm("local", sample), { kind: "not cached" });
  deepEqual(await warm("store", empty), { kind: "warm", bytesFetched: 0, bytesSkipped: 0 });
  backend.answering = () => Promise.reject(new DOMException("No answer", "TimeoutError"));
  await rejects(warm("store", sample), { name: "TimeoutError" });
});

Deno.test("CacheOperations counts over all processes that had the cache", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const all = samples(backend, ["a", "b"]);
  for (let process = 0; process < 2; process += 1) {
    await using process = await CacheProcess.start(at.path, backend);
    await readAll(process, all);
  }
  await using process = await CacheProcess.start(at.path, backend);
  const [counts] = await process.cache.operations.counts();
  equal(counts?.backend, "store");
  equal(counts?.fetchedBytes, 2 * MIB);
  ok(counts !== undefined && counts.hits > 0 && counts.misses > 0 && counts.evictedBlocks === 0);
});
