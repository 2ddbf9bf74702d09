import { deepEqual, equal, notEqual, ok, rejects } from "node:assert/strict";
import {
  cachePlace,
  CacheProcess,
  dataFilesIn,
  readAt,
  readsAs,
} from "../tests/support/cache_process.ts";
import { eventually } from "../tests/support/eventually.ts";
import { sampleBytes } from "../tests/support/sample_bytes.ts";
import { HeldAnswers, WatchedBackend } from "../tests/support/watched_backend.ts";
import { CHUNK_BYTES } from "./object/chunk_map.ts";

const MIB = 1 << 20;
const NEVER = new AbortController().signal;

Deno.test("BlockCache reads an object from its store once, then from its disk", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const content = sampleBytes(9 * MIB + 777, 1);
  const entry = backend.seed("file", content);
  await using process = await CacheProcess.start(at.path, backend);
  await process.readsAs("file", entry, content);
  equal(backend.bytesRead, content.length);
  await process.settled();
  backend.reads.length = 0;
  const object = await process.open("file", entry);
  notEqual(object.backingFd, null);
  await readsAs(object, content);
  object.close();
  deepEqual(backend.reads, []);
  equal(process.buffers.takenBytes, 0);
  equal(process.metrics.corruptions, 0);
});

Deno.test("BlockCache serves an empty object without asking anybody", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const entry = backend.seed("empty", new Uint8Array());
  await using process = await CacheProcess.start(at.path, backend);
  await process.readsAs("empty", entry, new Uint8Array());
  deepEqual(backend.reads, []);
});

Deno.test("BlockCache downloads a cold object once for 64 readers of it", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const content = sampleBytes(6 * MIB + 5, 2);
  const entry = backend.seed("file", content);
  await using process = await CacheProcess.start(at.path, backend);
  await Promise.all(
    Array.from({ length: 64 }, () => process.readsAs("file", entry, content)),
  );
  equal(backend.bytesRead, content.length);
  await process.settled();
  equal(process.buffers.takenBytes, 0);
});

Deno.test("BlockCache fetches one chunk for a cold random read of 4 KiB", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const content = sampleBytes(8 * MIB, 3);
  const entry = backend.seed("file", content);
  await using process = await CacheProcess.start(at.path, backend);
  const object = await process.open("file", entry);
  const offset = 37 * CHUNK_BYTES + 8_192;
  deepEqual(await readAt(object, offset, 4_096), content.slice(offset, offset + 4_096));
  deepEqual(backend.reads, [{ path: "file", offset: 37 * CHUNK_BYTES, length: CHUNK_BYTES }]);
  object.close();
});

Deno.test("BlockCache fetches adjacent missing chunks together, around those it has", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const content = sampleBytes(2 * MIB, 4);
  const entry = backend.seed("file", content);
  await using process = await CacheProcess.start(at.path, backend);
  const object = await process.open("file", entry);
  await readAt(object, 3 * CHUNK_BYTES, 1);
  await process.settled();
  backend.reads.length = 0;
  deepEqual(await readAt(object, CHUNK_BYTES, MIB), content.slice(CHUNK_BYTES, CHUNK_BYTES + MIB));
  deepEqual(backend.reads.map(({ offset, length }) => [offset, length]), [
    [CHUNK_BYTES, 2 * CHUNK_BYTES],
    [4 * CHUNK_BYTES, 5 * CHUNK_BYTES],
  ]);
  object.close();
});

Deno.test("BlockCache answers a reader while the rest of a block is coming", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const content = sampleBytes(4 * CHUNK_BYTES, 5);
  const entry = backend.seed("file", content);
  const rest = Promise.withResolvers<void>();
  backend.answering = async ({ target, onFilled }) => {
    target.set(content.subarray(0, CHUNK_BYTES));
    onFilled(CHUNK_BYTES);
    await rest.promise;
    target.set(content);
    onFilled(target.length);
  };
  await using process = await CacheProcess.start(at.path, backend);
  const object = await process.open("file", entry);
  const whole = readAt(object, 0, content.length);
  deepEqual(await readAt(object, 100, 1_000), content.slice(100, 1_100));
  equal(backend.reads.length, 1);
  rest.resolve();
  deepEqual(await whole, content);
  object.close();
});

Deno.test("BlockCache goes on for the others when one reader of a fetch leaves", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const content = sampleBytes(CHUNK_BYTES, 6);
  const entry = backend.seed("file", content);
  const held = new HeldAnswers();
  backend.answering = held.answering;
  await using process = await CacheProcess.start(at.path, backend);
  const object = await process.open("file", entry);
  const leaving = new AbortController();
  const left = readAt(object, 0, 10, leaving.signal);
  const stays = readAt(object, 0, 10);
  leaving.abort(new Error("Interrupted"));
  await rejects(left, { message: "Interrupted" });
  held.letGo();
  deepEqual(await stays, content.slice(0, 10));
  equal(backend.reads.length, 1);
  object.close();
  await process.settled();
  equal(process.buffers.takenBytes, 0);
});

Deno.test("BlockCache gives out right bytes whatever the order of the answers", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const content = sampleBytes(8 * MIB, 7);
  const entry = backend.seed("file", content);
  const held = new HeldAnswers();
  backend.answering = held.answering;
  await using process = await CacheProcess.start(at.path, backend);
  const object = await process.open("file", entry);
  const reads = Array.from({ length: 8 }, (_, index) => readAt(object, index * MIB, MIB));
  await eventually("all are asked for", () => {
    return Promise.resolve(backend.bytesRead === content.length);
  });
  held.letGo();
  (await Promise.all(reads)).forEach((bytes, index) => {
    deepEqual(bytes, content.slice(index * MIB, (index + 1) * MIB));
  });
  object.close();
});

Deno.test("BlockCache never lets a late writer reach a buffer that is used again", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const content = sampleBytes(4 * MIB, 8);
  const entry = backend.seed("file", content);
  const late: Uint8Array[] = [];
  let failures = 20;
  backend.answering = async (range, _signal, pass) => {
    if (failures === 0) return await pass();
    failures -= 1;
    late.push(range.target);
    throw new DOMException("Broken off", "AbortError");
  };
  await using process = await CacheProcess.start(at.path, backend, { memoryBytes: 2 * MIB });
  const object = await process.open("file", entry);
  while (failures > 0) await rejects(readAt(object, failures * CHUNK_BYTES, 1));
  const poison = setInterval(() => late.forEach((target) => target.fill(0xee)), 0);
  try {
    await readsAs(object, content);
    object.close();
    await process.settled();
    await process.readsAs("file", entry, content);
  } finally {
    clearInterval(poison);
  }
  equal(process.metrics.corruptions, 0);
  equal(process.buffers.takenBytes, 0);
});

Deno.test("BlockCache keeps what was on its way when it was closed", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const content = sampleBytes(4 * MIB, 9);
  const entry = backend.seed("file", content);
  {
    await using process = await CacheProcess.start(at.path, backend);
    await process.readsAs("file", entry, content);
  }
  backend.reads.length = 0;
  await using process = await CacheProcess.start(at.path, backend);
  await process.readsAs("file", entry, content);
  deepEqual(backend.reads, []);
});

Deno.test("BlockCache finds everything that is opened again before it was committed", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const content = sampleBytes(3 * MIB, 10);
  const entry = backend.seed("file", content);
  await using process = await CacheProcess.start(at.path, backend);
  for (let pass = 0; pass < 5; pass += 1) await process.readsAs("file", entry, content);
  equal(backend.bytesRead, content.length);
  equal((await dataFilesIn(at.path)).length, 1);
});

Deno.test("BlockCache passes a restarted object through once it was verified", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const content = sampleBytes(5 * MIB + 1, 11);
  const entry = backend.seed("file", content);
  {
    await using process = await CacheProcess.start(at.path, backend);
    await process.readsAs("file", entry, content);
  }
  backend.reads.length = 0;
  await using process = await CacheProcess.start(at.path, backend);
  const object = await process.open("file", entry);
  equal(object.backingFd, null);
  await eventually("it is verified", () => Promise.resolve(object.backingFd !== null));
  await readsAs(object, content);
  object.close();
  // Known again from the index, whose rows do not tell what this process verified.
  await process.allClosed();
  const again = await process.open("file", entry);
  notEqual(again.backingFd, null);
  again.close();
  deepEqual(backend.reads, []);
});

Deno.test("BlockCache keeps versions apart and never mixes them", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const [old, fresh] = [sampleBytes(4 * MIB, 12), sampleBytes(4 * MIB, 13)];
  const before = backend.seed("file", old);
  await using process = await CacheProcess.start(at.path, backend, { readaheadBlocks: 0 });
  const object = await process.open("file", before);
  await readAt(object, 0, MIB);
  await process.settled();
  const after = backend.seed("file", fresh);
  deepEqual(await readAt(object, 0, MIB), old.slice(0, MIB));
  await rejects(object.read(2 * MIB, 10, NEVER), { name: "BackendError", code: "changed" });
  await process.readsAs("file", after, fresh);
  deepEqual(await readAt(object, 0, MIB), old.slice(0, MIB));
  equal((await dataFilesIn(at.path)).length, 2);
  object.close();
  // Nobody asks for the old version any more: it leaves when nobody has it open.
  await eventually("the old version is gone", async () => {
    return (await dataFilesIn(at.path)).length === 1;
  });
  await process.settled();
  equal(process.buffers.takenBytes, 0);
  equal(process.health.state.kind, "working");
  backend.reads.length = 0;
  await process.readsAs("file", after, fresh);
  deepEqual(backend.reads, []);
});

Deno.test("BlockCache tells readers why a store failed, and asks again", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const content = sampleBytes(MIB, 14);
  const entry = backend.seed("file", content);
  await using process = await CacheProcess.start(at.path, backend);
  backend.answering = () => Promise.reject(new DOMException("No answer", "TimeoutError"));
  const object = await process.open("file", entry);
  await rejects(object.read(0, 10, NEVER), { name: "TimeoutError" });
  backend.answering = (_range, _signal, pass) => pass();
  await readsAs(object, content);
  object.close();
  equal(process.health.state.kind, "working");
});

Deno.test("BlockCache counts a block a hit unless its reader waits for the store", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const content = sampleBytes(8 * MIB, 15);
  const entry = backend.seed("file", content);
  await using process = await CacheProcess.start(at.path, backend, { readaheadBlocks: 0 });
  const object = await process.open("file", entry);
  await readAt(object, 0, 4_096);
  await readAt(object, 4 * MIB, 4_096);
  deepEqual([process.metrics.hits, process.metrics.misses], [0, 2]);
  await process.settled();
  await readAt(object, 0, 4_096);
  await readAt(object, 4 * MIB - 1, 2);
  deepEqual([process.metrics.hits, process.metrics.misses], [2, 3]);
  object.close();
  const passed = process.metrics.hits;
  await process.readsAs("file", entry, content);
  await process.settled();
  const whole = await process.open("file", entry);
  notEqual(whole.backingFd, null);
  whole.passedThrough();
  ok(process.metrics.hits >= passed + 2);
  whole.close();
});
