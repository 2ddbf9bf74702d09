import { deepEqual, equal, rejects } from "node:assert/strict";
import { type Backend, BackendError, type RangeRead } from "../backend/backend.ts";
import { AHEAD_QUEUED_MAX, Fetch, type FetchPriority, FetchScheduler } from "./fetch.ts";
import { FetchBuffers } from "./fetch_buffers.ts";

const NEVER = new AbortController().signal;
const KIB = 1024;

/** A read that was started and waits for the test to go on. */
interface OpenRead {
  readonly range: RangeRead;
  readonly signal: AbortSignal;
  readonly finish: () => void;
  readonly fail: (error: Error) => void;
}

/** A scheduler over a store whose reads the test finishes by hand. */
function scheduler(requestsMax: number, budgetBytes: number, fetchesMax = Infinity) {
  const reads: OpenRead[] = [];
  const backend: Pick<Backend, "read"> = {
    read: (range, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        const finish = () => {
          range.target.fill(7);
          range.onFilled(range.target.length);
          resolve();
        };
        reads.push({ range, signal, finish, fail: reject });
      }),
  };
  const buffers = new FetchBuffers(budgetBytes);
  const limit = { current: Math.min(16, requestsMax) };
  return {
    reads,
    buffers,
    limit,
    scheduler: new FetchScheduler({ backend, buffers, limit, fetchesMax }),
  };
}

function fetchOf(offset: number, priority: FetchPriority = "demand"): Fetch {
  return new Fetch("a", "v1", offset, 128 * KIB, priority);
}

/** Lets promises that are due settle. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

Deno.test("FetchScheduler starts the most urgent fetch first", async () => {
  const { reads, scheduler: fetches } = scheduler(1, 2 ** 20);
  const first = fetchOf(0);
  const warm = fetchOf(1, "warm");
  const ahead = fetchOf(2, "readahead");
  const demand = fetchOf(3);
  for (const fetch of [first, warm, ahead, demand]) fetches.submit(fetch);
  const order: number[] = [];
  while (order.length < 4) {
    const read = reads.shift();
    order.push(read?.range.offset ?? -1);
    read?.finish();
    await settle();
  }
  deepEqual(order, [0, 3, 2, 1]);
});

Deno.test("FetchScheduler wakes a waiter as soon as its bytes are there", async () => {
  const { reads, scheduler: fetches } = scheduler(1, 2 ** 20);
  const fetch = fetchOf(0);
  fetches.submit(fetch);
  const early = fetch.filledTo(4 * KIB, NEVER);
  reads[0]?.range.target.fill(9, 0, 4 * KIB);
  reads[0]?.range.onFilled(4 * KIB);
  await early;
  equal(fetch.state.kind, "running");
  equal(fetch.bytes(0, 4 * KIB)[0], 9);
  reads[0]?.finish();
  await settle();
  fetches.release(fetch);
});

Deno.test("FetchScheduler moves a fetch forward when a reader asks for it", async () => {
  const { reads, scheduler: fetches } = scheduler(1, 2 ** 20);
  const running = fetchOf(0);
  const one = fetchOf(1, "warm");
  const two = fetchOf(2, "warm");
  for (const fetch of [running, one, two]) fetches.submit(fetch);
  fetches.hold(two, "demand");
  reads[0]?.finish();
  await settle();
  equal(reads[1]?.range.offset, 2);
  fetches.close();
});

Deno.test("FetchScheduler keeps to its budget and goes on when memory comes back", async () => {
  const { reads, buffers, scheduler: fetches } = scheduler(8, 256 * KIB);
  const all = [0, 1, 2].map((offset) => fetchOf(offset));
  for (const fetch of all) fetches.submit(fetch);
  equal(reads.length, 2);
  equal(buffers.takenBytes, 256 * KIB);
  const [first] = all;
  reads[0]?.finish();
  await settle();
  if (first !== undefined) fetches.release(first);
  await settle();
  equal(reads.length, 3);
  fetches.close();
});

Deno.test("FetchScheduler leaves room for demand when it fetches ahead", () => {
  const { reads, scheduler: fetches } = scheduler(4, 2 ** 20);
  for (let offset = 0; offset < 4; offset += 1) fetches.submit(fetchOf(offset, "readahead"));
  equal(reads.length, 3);
  fetches.submit(fetchOf(9));
  equal(reads[3]?.range.offset, 9);
  fetches.close();
});

Deno.test("FetchScheduler fetches ahead one block at a time where no more fit", async () => {
  const { reads, scheduler: fetches } = scheduler(8, 128 * KIB);
  const first = fetchOf(0, "warm");
  fetches.submit(first);
  fetches.submit(fetchOf(1, "warm"));
  deepEqual(reads.map(({ range }) => range.offset), [0]);
  reads[0]?.finish();
  await first.filledTo(128 * KIB, NEVER);
  fetches.release(first);
  await settle();
  deepEqual(reads.map(({ range }) => range.offset), [0, 1]);
});

Deno.test("FetchScheduler tells every waiter why a fetch failed", async () => {
  const { reads, scheduler: fetches } = scheduler(1, 2 ** 20);
  const fetch = fetchOf(0);
  fetches.submit(fetch);
  const waits = [fetch.filledTo(1, NEVER), fetch.filledTo(128 * KIB, NEVER)];
  reads[0]?.fail(new BackendError("changed", "memory", "read", "a", "it is another version"));
  for (const wait of waits) await rejects(wait, /another version/);
  fetches.release(fetch);
});

Deno.test("FetchScheduler ends fetches that nobody wants, waiting or running", async () => {
  const { reads, buffers, scheduler: fetches } = scheduler(1, 2 ** 20);
  const [running, queued] = [fetchOf(0), fetchOf(1)];
  for (const fetch of [running, queued]) fetches.submit(fetch);
  const ends = [running, queued].map((fetch) =>
    rejects(fetch.filledTo(1, NEVER), { name: "AbortError" })
  );
  for (const fetch of [queued, running]) fetches.withdraw(fetch);
  await Promise.all(ends);
  equal(reads[0]?.signal.aborted, true);
  equal(reads.length, 1);
  for (const fetch of [running, queued]) fetches.release(fetch);
  await settle();
  deepEqual([fetches.size, buffers.takenBytes], [{ queued: 0, running: 0 }, 0]);
});

Deno.test("FetchScheduler runs no more fetches than the configuration allows", async () => {
  const { reads, scheduler: fetches } = scheduler(8, 2 ** 20, 2);
  for (let offset = 0; offset < 4; offset += 1) fetches.submit(fetchOf(offset));
  equal(reads.length, 2);
  reads[0]?.finish();
  await settle();
  equal(reads.length, 3);
  fetches.close();
});

Deno.test("FetchScheduler lets demand wait for one request of a lower class at most", async () => {
  for (const requestsMax of [1, 2, 8]) {
    const { reads, scheduler: fetches } = scheduler(requestsMax, 2 ** 24);
    for (let offset = 0; offset < 50; offset += 1) fetches.submit(fetchOf(offset, "warm"));
    fetches.submit(fetchOf(100));
    const started = () => reads.some(({ range }) => range.offset === 100);
    if (!started()) {
      reads[0]?.finish();
      await settle();
    }
    equal(started(), true, `with ${requestsMax} requests at once`);
    fetches.close();
  }
});

Deno.test("FetchScheduler gives demand its share at once when the limit falls", async () => {
  const { reads, limit, scheduler: fetches } = scheduler(16, 2 ** 24);
  for (let offset = 0; offset < 50; offset += 1) fetches.submit(fetchOf(offset, "readahead"));
  equal(reads.length, 12);
  limit.current = 4;
  fetches.submit(fetchOf(100));
  equal(reads.at(-1)?.range.offset, 100);
  fetches.submit(fetchOf(101));
  equal(reads.length, 13);
  // Ten more have to end before as few run as the store bears.
  for (const read of reads.slice(0, 9)) read.finish();
  await settle();
  equal(reads.length, 13);
  reads[9]?.finish();
  await settle();
  equal(reads.at(-1)?.range.offset, 101);
  fetches.close();
});

Deno.test("FetchScheduler gives memory that comes back to demand first", async () => {
  const { reads, buffers, scheduler: fetches } = scheduler(16, 1024 * KIB);
  const ahead = Array.from({ length: 12 }, (_, offset) => fetchOf(offset, "warm"));
  for (const fetch of ahead) fetches.submit(fetch);
  equal(buffers.takenBytes, 512 * KIB);
  const demand = Array.from({ length: 12 }, (_, offset) => fetchOf(100 + offset));
  for (const fetch of demand) fetches.submit(fetch);
  const before = reads.length;
  equal(before > 4 && buffers.takenBytes <= 1024 * KIB, true);
  reads[0]?.finish();
  await settle();
  const [first] = ahead;
  if (first !== undefined) fetches.release(first);
  equal(reads.length, before + 1);
  equal(reads.at(-1)?.range.offset, 100 + before - 4);
  fetches.close();
});

Deno.test("FetchScheduler leaves memory to other stores when its own hangs", () => {
  const hanging = scheduler(64, 1024 * KIB);
  const { buffers } = hanging;
  for (let offset = 0; offset < 64; offset += 1) hanging.scheduler.submit(fetchOf(offset));
  const free = buffers.budgetBytes - buffers.takenBytes;
  equal(free >= 256 * KIB, true, `${free} bytes are free`);
  const backend = { read: () => Promise.withResolvers<void>().promise };
  const limit = { current: 16 };
  const other = new FetchScheduler({ backend, buffers, limit, fetchesMax: 16 });
  other.submit(fetchOf(0));
  equal(other.size.running, 1);
});

Deno.test("FetchScheduler has room for no more of a class than can be fetched soon", () => {
  const { scheduler: fetches } = scheduler(1, 2 ** 20);
  let offset = 0;
  for (; fetches.hasRoom("warm"); offset += 1) fetches.submit(fetchOf(offset, "warm"));
  equal(fetches.size.queued, AHEAD_QUEUED_MAX);
  equal(fetches.hasRoom("directory"), true);
  fetches.close();
});

Deno.test("FetchScheduler never reuses the buffer of a fetch that was given up", async () => {
  const { reads, buffers, scheduler: fetches } = scheduler(1, 2 ** 20);
  const given = fetchOf(0);
  fetches.submit(given);
  const late = reads[0]?.range.target;
  given.controller.abort(new Error("Given up"));
  await settle();
  fetches.release(given);
  equal(buffers.takenBytes, 0);
  const next = fetchOf(1);
  fetches.submit(next);
  late?.fill(1);
  reads[1]?.finish();
  await settle();
  equal(next.bytes(0, 1)[0], 7);
  equal(reads[1]?.range.target.buffer === late?.buffer, false);
  fetches.release(next);
});
