import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { FakeClock } from "../../../tests/support/fake_clock.ts";
import { sampleBytes } from "../../../tests/support/sample_bytes.ts";
import { type SeededRandom, withSeed } from "../../../tests/support/seeded_random.ts";
import { FetchBuffers } from "../../fetch/fetch_buffers.ts";
import { Semaphore } from "../../platform/limit.ts";
import { type Backend, BackendError, type BackendErrorCode, type RangeRead } from "../backend.ts";
import { hedged } from "./hedged.ts";
import { MemoryBackend } from "../memory.ts";
import { retry } from "./retry.ts";

const NEVER = new AbortController().signal;
const KIB = 1024;
/** As long as a read is usually quiet; past twice that it is unusual. */
const USUAL_MS = 100;
const TURNS = 4;
const CONTENT = sampleBytes(256 * KIB, 1);

/** One request, answered by the test. As the contract says, it leaves its target when aborted. */
class Request {
  deliveredBytes = 0;
  readonly #settled = Promise.withResolvers<void>();

  constructor(readonly range: RangeRead, readonly signal: AbortSignal) {
    signal.addEventListener("abort", () => this.#settled.reject(signal.reason), { once: true });
  }

  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  get restBytes(): number {
    return this.range.target.length - this.deliveredBytes;
  }

  deliver(bytes: number): void {
    if (this.signal.aborted) return;
    const { offset, target } = this.range;
    const start = offset + this.deliveredBytes;
    target.set(CONTENT.subarray(start, start + bytes), this.deliveredBytes);
    this.deliveredBytes += bytes;
    this.range.onFilled(this.deliveredBytes);
    if (this.restBytes === 0) this.#settled.resolve();
  }

  fail(code: BackendErrorCode): void {
    this.#settled.reject(new BackendError(code, "store", "read", "a", `it was told to be ${code}`));
  }
}

/** A hedged store whose requests the test answers, after it has answered enough to be judged. */
async function bench() {
  const clock = new FakeClock();
  const requests: Request[] = [];
  const inner: Backend = Object.assign(
    new MemoryBackend("store", { pageSize: 10, pieceBytes: KIB }, clock),
    {
      read: (range: RangeRead, signal: AbortSignal) => {
        const request = new Request(range, signal);
        requests.push(request);
        return request.settled;
      },
    },
  );
  const memory = new FetchBuffers(1024 * KIB);
  const turns = new Semaphore("requests", TURNS, 0);
  const limit = { spare: true };
  const results: string[] = [];
  const onHedge = (result: string) => results.push(result);
  const backend = hedged(inner, { clock, limit, turns, memory, onHedge });
  const usual = Array.from({ length: 48 }, () => backend.read(rangeOf(128 * KIB), NEVER));
  await clock.advance(USUAL_MS);
  for (const request of requests.splice(0)) request.deliver(128 * KIB);
  await Promise.all(usual);
  return { clock, requests, memory, turns, limit, results, backend };
}

function rangeOf(length: number, announced: number[] = []): RangeRead {
  const target = new Uint8Array(length);
  const onFilled = (bytes: number) => announced.push(bytes);
  return { path: "a", version: "v1", offset: KIB, target, onFilled };
}

function isFilled(range: RangeRead): boolean {
  const wanted = CONTENT.subarray(range.offset, range.offset + range.target.length);
  return range.target.every((byte, index) => byte === wanted[index]);
}

Deno.test("hedged asks again for a range that stalls, and aborts what it overtakes", async () => {
  const { clock, requests, memory, results, backend } = await bench();
  const announced: number[] = [];
  const range = rangeOf(64 * KIB, announced);
  const read = backend.read(range, NEVER);
  await clock.advance(USUAL_MS - 1);
  equal(requests.length, 1);
  await clock.advance(USUAL_MS);
  const [first, hedge] = requests;
  equal(requests.length, 2);
  ok(hedge);
  deepEqual([hedge.range.offset, hedge.range.version], [KIB, "v1"]);
  equal(hedge.range.target.buffer === range.target.buffer, false);
  equal(first?.signal.aborted, false);
  hedge.deliver(16 * KIB);
  equal(first?.signal.aborted, true);
  hedge.deliver(48 * KIB);
  await read;
  ok(isFilled(range));
  deepEqual(announced, [16 * KIB, 64 * KIB]);
  deepEqual(results, ["won"]);
  equal(memory.takenBytes, 0);
});

Deno.test("hedged goes on with the first request when that moves first", async () => {
  const { clock, requests, memory, turns, results, backend } = await bench();
  const range = rangeOf(64 * KIB);
  const read = backend.read(range, NEVER);
  await clock.advance(3 * USUAL_MS);
  const [first, hedge] = requests;
  first?.deliver(KIB);
  equal(hedge?.signal.aborted, true);
  // What a call of the operating system that cannot be aborted writes late.
  hedge?.range.target.fill(0xff);
  first?.deliver(63 * KIB);
  await read;
  ok(isFilled(range));
  deepEqual(results, ["lost"]);
  equal(memory.takenBytes, 0);
  const next = memory.take(64 * KIB);
  equal(next?.buffer === hedge?.range.target.buffer, false);
  ok(turns.tryAcquire() !== null);
});

Deno.test("hedged asks only for what is missing when a range stalls half way", async () => {
  const { clock, requests, results, backend } = await bench();
  const announced: number[] = [];
  const range = rangeOf(64 * KIB, announced);
  const read = backend.read(range, NEVER);
  requests[0]?.deliver(40 * KIB);
  await clock.advance(3 * USUAL_MS);
  const hedge = requests[1];
  deepEqual([hedge?.range.offset, hedge?.range.target.length], [41 * KIB, 24 * KIB]);
  hedge?.deliver(24 * KIB);
  await read;
  ok(isFilled(range));
  deepEqual(announced, [40 * KIB, 64 * KIB]);
  deepEqual(results, ["won"]);
});

Deno.test("hedged sends one further request for a range, not more", async () => {
  const { clock, requests, backend } = await bench();
  const range = rangeOf(64 * KIB);
  const read = backend.read(range, NEVER);
  await clock.advance(50 * USUAL_MS);
  equal(requests.length, 2);
  requests[0]?.deliver(64 * KIB);
  await read;
});

Deno.test("hedged goes on with the hedge when the first request fails", async () => {
  const { clock, requests, results, backend } = await bench();
  const range = rangeOf(64 * KIB);
  const read = backend.read(range, NEVER);
  await clock.advance(3 * USUAL_MS);
  requests[0]?.fail("unavailable");
  await clock.settle();
  requests[1]?.deliver(64 * KIB);
  await read;
  ok(isFilled(range));
  deepEqual(results, ["won"]);
});

Deno.test("hedged waits for no hedge when the store has said no", async () => {
  const { clock, requests, memory, results, backend } = await bench();
  const read = backend.read(rangeOf(64 * KIB), NEVER);
  await clock.advance(3 * USUAL_MS);
  requests[0]?.fail("changed");
  await rejects(read, /told to be changed/);
  equal(requests[1]?.signal.aborted, true);
  deepEqual(results, ["lost"]);
  equal(memory.takenBytes, 0);
});

Deno.test("hedged goes on with the first request when the hedge fails", async () => {
  const { clock, requests, results, backend } = await bench();
  const range = rangeOf(64 * KIB);
  const read = backend.read(range, NEVER);
  await clock.advance(3 * USUAL_MS);
  requests[1]?.fail("changed");
  await clock.settle();
  requests[0]?.deliver(64 * KIB);
  await read;
  ok(isFilled(range));
  deepEqual(results, ["lost"]);
});

Deno.test("hedged lets a retry go on where a hedge broke off that had overtaken", async () => {
  const { clock, requests, results, backend } = await bench();
  const policy = {
    attemptsMax: 2,
    pauseFirstMs: 0,
    pauseMaxMs: 0,
    retryAfterMaxMs: 0,
    quietMaxMs: 1,
  };
  const retried = retry(backend, policy, { clock, random: () => 0 });
  const range = rangeOf(64 * KIB);
  const read = retried.read(range, NEVER);
  await clock.advance(3 * USUAL_MS);
  requests[1]?.deliver(10 * KIB);
  requests[1]?.fail("unavailable");
  await clock.advance(1);
  equal(requests[2]?.range.offset, 11 * KIB);
  requests[2]?.deliver(54 * KIB);
  await read;
  ok(isFilled(range));
  deepEqual(results, ["lost"]);
});

Deno.test("hedged ends both requests when the caller gives up", async () => {
  const { clock, requests, memory, turns, backend } = await bench();
  const caller = new AbortController();
  const read = backend.read(rangeOf(64 * KIB), caller.signal);
  await clock.advance(3 * USUAL_MS);
  const reason = new Error("No longer wanted");
  caller.abort(reason);
  await rejects(read, reason);
  deepEqual(requests.map(({ signal }) => signal.aborted), [true, true]);
  equal(memory.takenBytes, 0);
  equal(clock.sleeping, 0);
  ok(turns.tryAcquire() !== null);
});

Deno.test("hedged sends no hedge while there is nothing to spare", async () => {
  const { clock, requests, memory, turns, limit, backend } = await bench();
  const range = rangeOf(64 * KIB);
  const read = backend.read(range, NEVER);
  limit.spare = false;
  await clock.advance(3 * USUAL_MS);
  equal(requests.length, 1);
  limit.spare = true;
  const taken = Array.from({ length: TURNS }, () => turns.tryAcquire());
  await clock.advance(3 * USUAL_MS);
  equal(requests.length, 1);
  for (const turn of taken) turn?.[Symbol.dispose]();
  const all = memory.take(1024 * KIB);
  await clock.advance(3 * USUAL_MS);
  equal(requests.length, 1);
  if (all !== null) memory.giveBack(all, true);
  await clock.advance(3 * USUAL_MS);
  equal(requests.length, 2);
  requests[1]?.deliver(64 * KIB);
  await read;
  ok(isFilled(range));
});

Deno.test("hedged asks again for no more than its budget allows", async () => {
  const { clock, requests, results, backend } = await bench();
  // 48 ranges of 128 KiB have earned two requests, and bytes for four such ranges.
  const reads = Array.from({ length: 9 }, () => backend.read(rangeOf(64 * KIB), NEVER));
  await clock.advance(10 * USUAL_MS);
  equal(requests.length, reads.length + 2);
  for (const request of requests) request.deliver(request.restBytes);
  await Promise.all(reads);
  deepEqual(results, ["lost", "lost"]);
});

Deno.test("hedged takes what waited for our own event loop for no stall", async () => {
  const { clock, requests, backend } = await bench();
  const range = rangeOf(64 * KIB);
  const sleep = clock.sleep.bind(clock);
  clock.sleep = (ms, signal) => {
    if (ms === 0) requests[0]?.deliver(KIB);
    return sleep(ms, signal);
  };
  const read = backend.read(range, NEVER);
  await clock.advance(USUAL_MS + 1);
  equal(requests.length, 1);
  requests[0]?.deliver(63 * KIB);
  await read;
});

Deno.test("hedged fills targets with the right bytes, whatever two requests do when", async () => {
  await withSeed(1, async (random) => {
    for (let round = 0; round < 20; round += 1) await anyOrder(random);
  });
});

/** One read of which two requests deliver, fail and stall in any order. */
async function anyOrder(random: SeededRandom): Promise<void> {
  const { clock, requests, memory, backend } = await bench();
  const announced: number[] = [];
  const range = rangeOf(64 * KIB, announced);
  const read = { outcome: "pending" };
  const ended = backend.read(range, NEVER).then(
    () => read.outcome = "filled",
    () => read.outcome = "failed",
  );
  for (let step = 0; step < 20 && read.outcome === "pending"; step += 1) {
    const request = random.pick(requests);
    const rest = request.restBytes;
    const dice = random.next();
    if (dice < 0.2) await clock.advance(3 * USUAL_MS * random.next());
    else if (dice < 0.8) request.deliver(random.below(rest + 1));
    else if (dice < 0.9) request.fail(random.pick(["unavailable", "changed"]));
    // What a hedge writes late, after it was given up, goes to nobody.
    else if (request.signal.aborted && request !== requests[0]) request.range.target.fill(0xff);
    await microtasks();
    const shown = { ...range, target: range.target.subarray(0, announced.at(-1) ?? 0) };
    ok(isFilled(shown), "what was announced is right");
  }
  for (const request of requests) request.deliver(request.restBytes);
  await ended;
  if (read.outcome === "filled") ok(isFilled(range), "what was read is right");
  ok(announced.every((bytes, index) => index === 0 || bytes >= (announced[index - 1] ?? 0)));
  equal(memory.takenBytes, 0);
}

async function microtasks(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}
