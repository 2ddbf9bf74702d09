import { deepEqual, equal, rejects } from "node:assert/strict";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { sampleBytes } from "../../tests/support/sample_bytes.ts";
import { HeldAnswers, WatchedBackend } from "../../tests/support/watched_backend.ts";
import { BackendError } from "../backend/backend.ts";
import { FetchScheduler } from "./fetch.ts";
import { FetchBuffers } from "./fetch_buffers.ts";
import { ReadThrough } from "./read_through.ts";

const NEVER = new AbortController().signal;
const KIB = 1024;
const CONTENT = sampleBytes(1024 * KIB, 1);

function opened(requestsMax = 8, budgetBytes = 1024 * KIB) {
  const clock = new FakeClock();
  const backend = new WatchedBackend();
  const entry = backend.seed("file", CONTENT);
  const held = new HeldAnswers();
  backend.answering = held.answering;
  const buffers = new FetchBuffers(budgetBytes);
  const limit = { current: requestsMax };
  const scheduler = new FetchScheduler({ backend, buffers, limit, fetchesMax: Infinity });
  const object = new ReadThrough(scheduler, clock).open("file", entry);
  return { clock, backend, held, buffers, object };
}

Deno.test("ReadThrough shares one request among readers of one range", async () => {
  const { backend, held, buffers, object } = opened();
  const reads = [1, 2, 3].map(() => object.read(100, 64 * KIB, NEVER));
  held.letGo();
  const leases = await Promise.all(reads);
  equal(backend.reads.length, 1);
  for (const { bytes } of leases) deepEqual(bytes, CONTENT.subarray(100, 100 + 64 * KIB));
  equal(buffers.takenBytes, 64 * KIB);
  for (const { release } of leases) release();
  equal(buffers.takenBytes, 0);
});

Deno.test("ReadThrough takes memory when a request starts, not before its turn", async () => {
  const { clock, held, buffers, object } = opened(2);
  const reads = Array.from(
    { length: 16 },
    (_, index) => object.read(index * 64 * KIB, 64 * KIB, NEVER),
  );
  equal(buffers.takenBytes, 128 * KIB);
  let served = 0;
  for (const read of reads) {
    held.letGo();
    const { bytes, release } = await read;
    deepEqual(bytes, CONTENT.subarray(served, served + 64 * KIB));
    served += 64 * KIB;
    equal(buffers.takenBytes <= 192 * KIB, true);
    release();
  }
  await clock.settle();
  equal(buffers.takenBytes, 0);
});

Deno.test("ReadThrough goes on for a reader that is interrupted and comes back", async () => {
  const { clock, backend, held, object } = opened();
  const interrupted = new AbortController();
  const first = object.read(0, 64 * KIB, interrupted.signal);
  interrupted.abort();
  await rejects(first);
  // The bytes arrive while nobody waits for them.
  held.letGo();
  await clock.advance(4_000);
  const { bytes, release } = await object.read(0, 64 * KIB, NEVER);
  deepEqual(bytes, CONTENT.subarray(0, 64 * KIB));
  release();
  equal(backend.reads.length, 1);
});

Deno.test("ReadThrough ends what nobody came back for", async () => {
  const { clock, held, buffers, object } = opened();
  const gone = new AbortController();
  const read = object.read(0, 64 * KIB, gone.signal);
  gone.abort();
  await rejects(read);
  await clock.advance(4_999);
  equal(buffers.takenBytes, 64 * KIB);
  await clock.advance(1);
  equal(buffers.takenBytes, 0);
  equal(clock.sleeping, 0);
  held.letGo();
});

Deno.test("ReadThrough tells all readers of a failure, and asks again for the next", async () => {
  const { clock, backend, object } = opened();
  backend.answering = () =>
    Promise.reject(new BackendError("unavailable", "store", "read", "file", "it is down"));
  const leaver = new AbortController();
  const reads = [object.read(0, KIB, NEVER), object.read(0, KIB, NEVER)];
  const left = object.read(KIB, KIB, leaver.signal);
  leaver.abort();
  await rejects(left);
  for (const read of reads) await rejects(read, /it is down/);
  await clock.settle();
  backend.answering = (_range, _signal, pass) => pass();
  for (const offset of [0, KIB]) {
    const { bytes, release } = await object.read(offset, KIB, NEVER);
    deepEqual(bytes, CONTENT.subarray(offset, offset + KIB));
    release();
  }
});
