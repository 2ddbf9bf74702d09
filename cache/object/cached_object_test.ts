import { deepEqual, equal, notEqual, ok, rejects } from "node:assert/strict";
import { cachePlace, readAt, readsAs } from "../../tests/support/cache_process.ts";
import { eventually } from "../../tests/support/eventually.ts";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { sampleBytes } from "../../tests/support/sample_bytes.ts";
import { HeldAnswers, WatchedBackend } from "../../tests/support/watched_backend.ts";
import { AheadMemory } from "../readahead/ahead_memory.ts";
import { AdaptiveLimit } from "../backend/guard/adaptive_limit.ts";
import { BufferPool } from "../fetch/buffer_pool.ts";
import { CacheCommits } from "./cache_commits.ts";
import type { CacheKeeper } from "../cache_keeper.ts";
import { CachedObject } from "./cached_object.ts";
import { CHUNK_BYTES } from "./chunk_map.ts";
import { DataFile } from "../disk/data_file.ts";
import { DiskThreads } from "../disk/disk_threads.ts";
import { noStepHook } from "../disk/durable_step.ts";
import { FetchBuffers } from "../fetch/fetch_buffers.ts";
import { FetchScheduler } from "../fetch/fetch.ts";
import { BLOCKS_MAX } from "../fetch/fetch_window.ts";
import { ReadAhead } from "../readahead/object_readahead.ts";
import { type Clock, systemClock } from "../platform/clock.ts";
import { Libc } from "../platform/libc.ts";
import { TaskGroup } from "../platform/limit.ts";

const MIB = 1 << 20;
const BLOCK = 4 * CHUNK_BYTES;
const NEVER = new AbortController().signal;

/** One object with a data file and a keeper that keeps while `keeps` is true. */
async function object(content: Uint8Array<ArrayBuffer>, clock: Clock = systemClock) {
  const at = await cachePlace();
  const backend = new WatchedBackend();
  const entry = backend.seed("file", content);
  const tasks = new TaskGroup((error) => {
    throw error;
  });
  const files = { libc: Libc.open(), threads: new DiskThreads(8, 100), tasks, step: noStepHook };
  const file = await DataFile.create(`${at.path}/1`, content.length, files, NEVER);
  const seen = { keeps: true, written: [] as number[][], closed: 0, failures: 0, hits: 0 };
  const commits = new CacheCommits();
  const keeper: CacheKeeper = {
    admit: () => Promise.resolve(seen.keeps ? file : null),
    written(of, first, last) {
      seen.written.push([first, last]);
      commits.chunks(of, first, last);
    },
    corrupt: () => seen.failures += 1,
    cut: () => seen.failures += 1,
    diskFailed: () => seen.failures += 1,
    fetched: () => undefined,
    counted: (_of, hits) => seen.hits += hits,
    closed: () => seen.closed += 1,
  };
  const buffers = new FetchBuffers(8 * MIB);
  const memory = new AheadMemory(4 * MIB);
  const limit = new AdaptiveLimit(8);
  const window = {
    blockBytes: BLOCK,
    windowBlocksStart: 2,
    windowBlocksMax: 4,
    windowBlocksLimit: 4,
  };
  const metrics = { readaheadHit: () => undefined };
  const ahead = new ReadAhead(content.length, window, metrics, memory);
  const scheduler = new FetchScheduler({ backend, buffers, limit, fetchesMax: 8 });
  const cached = new CachedObject("store", "file", entry, 0, ahead, {
    keeper,
    scheduler,
    clock,
    tasks,
    replies: new BufferPool("replies", MIB, 8, 100),
    checks: new BufferPool("checks", CHUNK_BYTES, 8, 100),
    scratch: new Uint8Array(MIB),
    blockBytes: BLOCK,
  });
  cached.stored.use(file);
  cached.row = 1;
  cached.opens = 1;
  return {
    backend,
    scheduler,
    cached,
    seen,
    commits,
    buffers,
    memory,
    settled: () => tasks.settled(),
    async [Symbol.asyncDispose]() {
      memory.close();
      cached.stored.leave();
      await tasks.settled();
      await at[Symbol.asyncDispose]();
    },
  };
}

Deno.test("CachedObject shares what is fetched early with its reader", async () => {
  const content = sampleBytes(8 * BLOCK, 1);
  await using at = await object(content);
  const { backend, cached } = at;
  const held = new HeldAnswers();
  backend.answering = held.answering;
  const early = cached.prefetch(0, 2 * BLOCK, "directory", NEVER);
  const read = readAt(cached, BLOCK + 10, 100);
  equal(backend.bytesRead, 2 * BLOCK);
  held.letGo();
  await early;
  deepEqual(await read, content.slice(BLOCK + 10, BLOCK + 110));
  equal(backend.reads.length, 2);
  await at.settled();
  deepEqual(at.seen.written.toSorted(), [[0, 3], [4, 7]]);
  equal(at.buffers.takenBytes, 0);
});

Deno.test("CachedObject fetches any length ahead with few fetches waiting", async () => {
  const content = sampleBytes(64 * BLOCK, 5);
  await using at = await object(content);
  const { backend, cached, scheduler } = at;
  const held = new HeldAnswers();
  backend.answering = held.answering;
  const ended = { early: false };
  const early = cached.prefetch(0, content.length, "warm", NEVER).then(() => ended.early = true);
  const most = { fetches: 0 };
  await eventually("all of it is fetched", () => {
    const { queued, running } = scheduler.size;
    most.fetches = Math.max(most.fetches, queued + running);
    held.letGo();
    return Promise.resolve(ended.early);
  });
  await early;
  equal(most.fetches, BLOCKS_MAX);
  await at.settled();
  await readsAs(cached, content);
});

Deno.test("CachedObject asks the store for no more than a block at once", async () => {
  const content = sampleBytes(4 * BLOCK, 2);
  await using at = await object(content);
  deepEqual(await readAt(at.cached, 10, MIB), content.slice(10, 10 + MIB));
  ok(at.backend.reads.every(({ length }) => length <= BLOCK));
  await at.settled();
});

Deno.test("CachedObject that was evicted while open reads on, and writes no more", async () => {
  const content = sampleBytes(6 * BLOCK, 3);
  await using at = await object(content);
  const { cached, backend } = at;
  deepEqual(await readAt(cached, 0, BLOCK), content.slice(0, BLOCK));
  await at.settled();
  const written = at.seen.written.length;
  cached.admission = { kind: "evicted" };
  equal(cached.backingFd, null);
  backend.reads.length = 0;
  deepEqual(await readAt(cached, 0, BLOCK), content.slice(0, BLOCK));
  deepEqual(backend.reads, []);
  await readsAs(cached, content);
  cached.close();
  await at.settled();
  equal(at.seen.written.length, written);
  equal(at.buffers.takenBytes, 0);
});

Deno.test("CachedObject may be passed through when all of it is there", async () => {
  const content = sampleBytes(2 * BLOCK, 4);
  await using at = await object(content);
  await readAt(at.cached, BLOCK, BLOCK);
  await at.settled();
  equal(at.cached.backingFd, null);
  await readAt(at.cached, 0, BLOCK);
  await at.settled();
  notEqual(at.cached.backingFd, null);
  at.cached.passedThrough();
  ok(at.seen.hits >= 2);
});

Deno.test("CachedObject is closed when what was fetched is written, and not before", async () => {
  const content = sampleBytes(BLOCK, 5);
  await using at = await object(content);
  const held = new HeldAnswers();
  at.backend.answering = held.answering;
  const leaving = new AbortController();
  const left = readAt(at.cached, 0, 10, leaving.signal);
  leaving.abort(new Error("Interrupted"));
  await rejects(left, { message: "Interrupted" });
  at.cached.close();
  equal(at.seen.closed, 0);
  held.letGo();
  await at.settled();
  deepEqual([at.seen.closed, at.seen.written.length], [1, 1]);
  equal(at.buffers.takenBytes, 0);
});

Deno.test("CachedObject drops what was read ahead and refused when it is closed", async () => {
  const content = sampleBytes(8 * BLOCK, 6);
  await using at = await object(content);
  at.seen.keeps = false;
  await at.cached.prefetch(0, 4 * BLOCK, "readahead", NEVER);
  await eventually("it is kept", () => Promise.resolve(at.memory.bytes === 4 * BLOCK));
  at.backend.reads.length = 0;
  deepEqual(await readAt(at.cached, 0, BLOCK), content.slice(0, BLOCK));
  deepEqual(at.backend.reads.filter(({ offset }) => offset < 4 * BLOCK), []);
  at.cached.close();
  await at.settled();
  deepEqual([at.memory.bytes, at.buffers.takenBytes, at.seen.closed], [0, 0, 1]);
});

Deno.test("CacheCommits announces changed rows as they are when it is asked", async () => {
  const content = sampleBytes(33 * CHUNK_BYTES + 1, 7);
  await using at = await object(content);
  const { cached, commits } = at;
  await readAt(cached, 32 * CHUNK_BYTES, 10);
  await at.settled();
  await readAt(cached, 33 * CHUNK_BYTES, 1);
  await at.settled();
  cached.lastAccessMs = 77;
  equal(commits.has(cached), true);
  deepEqual(commits.take(), [{
    id: 1,
    blocks: [cached.stored.map.row(1)],
    cachedBytes: CHUNK_BYTES + 1,
    lastAccessMs: 77,
  }]);
  equal(commits.has(cached), false);
  commits.accessed(cached);
  deepEqual(commits.take().map(({ blocks }) => blocks), [[]]);
  commits.accessed(cached);
  commits.forget(cached);
  deepEqual(commits.take(), []);
  cached.row = null;
  commits.accessed(cached);
  equal(commits.has(cached), false);
});

Deno.test("CachedObject gives up a fetch five seconds after its last reader left", async () => {
  const content = sampleBytes(BLOCK, 8);
  const clock = new FakeClock();
  await using at = await object(content, clock);
  const { backend, cached } = at;
  const held = new HeldAnswers();
  backend.answering = held.answering;
  const leaving = new AbortController();
  const left = readAt(cached, 0, 10, leaving.signal);
  leaving.abort(new Error("Interrupted"));
  await rejects(left, { message: "Interrupted" });
  await clock.advance(4_000);
  // A reader that comes back within five seconds finds it going on.
  const again = new AbortController();
  const back = readAt(cached, 0, 10, again.signal);
  await clock.advance(10_000);
  equal(backend.reads.length, 1);
  again.abort(new Error("Interrupted"));
  await rejects(back, { message: "Interrupted" });
  await clock.advance(5_000);
  await at.settled();
  deepEqual([at.buffers.takenBytes, at.seen.written], [0, []]);
  backend.answering = (_range, _signal, pass) => pass();
  deepEqual(await readAt(cached, 0, 10), content.slice(0, 10));
  equal(backend.reads.length, 2);
  await at.settled();
});

Deno.test("CachedObject lets go of what came after its reader left, and was refused", async () => {
  const clock = new FakeClock();
  await using at = await object(sampleBytes(BLOCK, 9), clock);
  const { backend, cached } = at;
  at.seen.keeps = false;
  const held = new HeldAnswers();
  backend.answering = held.answering;
  const leaving = new AbortController();
  const left = readAt(cached, 0, 10, leaving.signal);
  leaving.abort(new Error("Interrupted"));
  await rejects(left, { message: "Interrupted" });
  held.letGo();
  await eventually("it is kept", () => Promise.resolve(at.memory.bytes === CHUNK_BYTES));
  await clock.advance(5_000);
  cached.close();
  equal(at.memory.bytes, 0);
  await at.settled();
  deepEqual([at.buffers.takenBytes, at.seen.closed], [0, 1]);
});

Deno.test("CachedObject ends its read-ahead when it is closed", async () => {
  const content = sampleBytes(16 * BLOCK, 9);
  const clock = new FakeClock();
  await using at = await object(content, clock);
  const { backend, cached } = at;
  const held = new HeldAnswers();
  backend.answering = (range, signal, pass) =>
    range.offset < BLOCK ? pass() : held.answering(range, signal, pass);
  for (let offset = 0; offset < BLOCK; offset += CHUNK_BYTES) {
    await readAt(cached, offset, CHUNK_BYTES);
  }
  await eventually("it reads ahead", () => Promise.resolve(held.waiting.length > 0));
  await clock.advance(60_000);
  ok(at.buffers.takenBytes > 0, "what is ahead of an open reader goes on");
  cached.close();
  await clock.advance(5_000);
  await at.settled();
  deepEqual([at.buffers.takenBytes, at.seen.closed], [0, 1]);
});

Deno.test("CachedObject serves readers that together want more than the memory", async () => {
  const content = sampleBytes(180 * CHUNK_BYTES, 7);
  await using at = await object(content);
  const { backend, cached } = at;
  const held = new HeldAnswers();
  backend.answering = held.answering;
  // Backwards, so that nothing is read ahead.
  const starts = Array.from({ length: 90 }, (_, index) => (178 - 2 * index) * CHUNK_BYTES);
  // Memory fills with the first halves of what is read below, each in two fetches.
  const first = starts.map((start) => readAt(cached, start, 10));
  const across = starts.map((start) => readAt(cached, start, 2 * CHUNK_BYTES));
  backend.answering = (_range, _signal, pass) => pass();
  held.letGo();
  for (const [index, start] of starts.entries()) {
    deepEqual(await across[index], content.slice(start, start + 2 * CHUNK_BYTES));
  }
  await Promise.all(first);
  await at.settled();
  equal(at.buffers.takenBytes, 0);
});
