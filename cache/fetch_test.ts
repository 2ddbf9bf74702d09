import { deepEqual, equal, rejects } from "node:assert/strict";
import { AdaptiveLimit } from "./adaptive_limit.ts";
import { type Backend, BackendError, type RangeRead } from "./backend/backend.ts";
import { Fetch, type FetchPriority, FetchScheduler } from "./fetch.ts";
import { FetchBuffers } from "./fetch_buffers.ts";
import { type Clock, systemClock } from "./platform/clock.ts";

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
function scheduler(requestsMax: number, budgetBytes: number, clock: Clock = systemClock) {
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
  const limit = new AdaptiveLimit(requestsMax);
  return { reads, buffers, scheduler: new FetchScheduler({ backend, buffers, limit, clock }) };
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

Deno.test("FetchScheduler tells every waiter why a fetch failed", async () => {
  const { reads, scheduler: fetches } = scheduler(1, 2 ** 20);
  const fetch = fetchOf(0);
  fetches.submit(fetch);
  const waits = [fetch.filledTo(1, NEVER), fetch.filledTo(128 * KIB, NEVER)];
  reads[0]?.fail(new BackendError("changed", "memory", "read", "a", "it is another version"));
  for (const wait of waits) await rejects(wait, /another version/);
  fetches.release(fetch);
});

Deno.test("FetchScheduler aborts a fetch that nobody came back for", async () => {
  const sleeps: (() => void)[] = [];
  const clock = {
    ...systemClock,
    sleep: () => new Promise<void>((resolve) => sleeps.push(resolve)),
  };
  const { reads, scheduler: fetches } = scheduler(1, 2 ** 20, clock);
  const fetch = fetchOf(0);
  fetches.submit(fetch);
  fetches.release(fetch);
  equal(reads[0]?.signal.aborted, false);
  for (const wake of sleeps) wake();
  await settle();
  equal(reads[0]?.signal.aborted, true);
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

Deno.test("AdaptiveLimit grows with success and halves once per round of throttling", () => {
  const limit = new AdaptiveLimit(64);
  const start = limit.current;
  for (let count = 0; count < start; count += 1) limit.succeeded(10);
  equal(limit.current, start + 1);
  limit.succeeded(10);
  limit.throttled();
  const halved = limit.current;
  equal(halved, Math.floor((start + 1) / 2));
  limit.throttled();
  equal(limit.current, halved);
});

Deno.test("AdaptiveLimit halves when the latency rises", () => {
  const limit = new AdaptiveLimit(64);
  for (let count = 0; count < 200; count += 1) limit.succeeded(20);
  const before = limit.current;
  for (let count = 0; count < before * 2; count += 1) limit.succeeded(500);
  equal(limit.current < before, true);
});
