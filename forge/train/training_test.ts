import assert from "node:assert/strict";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { FEATURES } from "./features.ts";
import type { Model } from "./model.ts";
import { summaryLine, windowLine } from "./report.ts";
import type { SampleChunk } from "./shard_messages.ts";
import { Softmax } from "./softmax.ts";
import { type Outcome, train, type Window } from "./training.ts";

const NEVER = new AbortController().signal;

/** Endless samples, each chunk arriving after `dataMs`. */
async function* samples(clock: FakeClock, dataMs: number): AsyncGenerator<SampleChunk> {
  for (let first = 0;; first += 4) {
    await clock.advance(dataMs);
    yield {
      keys: [0, 1, 2, 3].map((index) => String(first + index)),
      features: Uint8Array.from({ length: 4 * FEATURES }, (_, index) => (index * first) % 256),
      labels: Float64Array.of(0, 1, 2, 3),
    };
  }
}

/** A model whose steps take `computeMs`. */
function slow(clock: FakeClock, computeMs: number): Model {
  const model = new Softmax(42);
  return {
    async step(batch) {
      await clock.advance(computeMs);
      return model.step(batch);
    },
    [Symbol.dispose]() {},
  };
}

async function run(steps: number, logEvery: number): Promise<[Window[], Outcome]> {
  const clock = new FakeClock();
  const windows: Window[] = [];
  const outcome = await train({
    chunks: samples(clock, 30),
    model: slow(clock, 10),
    steps,
    batchSize: 4,
    logEvery,
    clock,
    onStep: () => {},
    onWindow: (window) => windows.push(window),
  }, NEVER);
  return [windows, outcome];
}

Deno.test("train tells waiting for data and computing apart", async () => {
  const [[window], outcome] = await run(10, 10);
  assert.ok(window !== undefined);
  assert.equal(
    windowLine(window),
    `step=10 images_per_sec=100.0 data_ms=30.00 compute_ms=10.00 loss=${outcome.loss.toFixed(4)}`,
  );
  assert.equal(outcome.wallMs, 400);
  assert.match(
    summaryLine(outcome),
    /^done steps=10 samples=40 wall_s=0\.40 images_per_sec=100\.0 .* order=[0-9a-f]{16}$/,
  );
});

Deno.test("train reports the steps that are left over, and nothing twice", async () => {
  const [windows] = await run(25, 10);
  assert.deepEqual(
    windows.map(({ step, steps, dataMs, computeMs }) => [step, steps, dataMs, computeMs]),
    [[10, 10, 300, 100], [20, 10, 300, 100], [25, 5, 150, 50]],
  );
  assert.deepEqual((await run(20, 10))[0].map(({ step }) => step), [10, 20]);
  assert.deepEqual((await run(3, 10))[0].map(({ step }) => step), [3]);
});

Deno.test("train gives one order and one series of losses for one seed", async () => {
  const [windows, outcome] = await run(20, 5);
  const [again, repeated] = await run(20, 5);
  assert.deepEqual(again, windows);
  assert.equal(repeated.order, outcome.order);
  assert.notEqual((await run(21, 5))[1].order, outcome.order);
});

Deno.test("train stops when it is told to", async () => {
  const stop = new AbortController();
  const clock = new FakeClock();
  const running = train({
    chunks: samples(clock, 1),
    model: slow(clock, 1),
    steps: 1_000,
    batchSize: 4,
    logEvery: 10,
    clock,
    onStep: () => {},
    onWindow: () => stop.abort(new Error("Stopped")),
  }, stop.signal);
  await assert.rejects(running, /Stopped/);
});
