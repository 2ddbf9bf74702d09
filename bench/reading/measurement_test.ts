import assert from "node:assert/strict";
import { LatencyHistogram } from "./latency_histogram.ts";
import { measure, type Rounds, warmUp } from "./measurement.ts";
import type { Pass } from "./readers.ts";

const NEVER = new AbortController().signal;

/** Readers that write down what they are asked, and read as fast as `speeds` says of a set. */
function readers(speeds: readonly number[]) {
  const asked: string[] = [];
  return {
    asked,
    read(set: number, durationMs: number): Promise<Pass> {
      asked.push(`${set}:${durationMs}`);
      const latencies = new LatencyHistogram();
      latencies.add(set + 1);
      const seconds = durationMs / 1_000;
      return Promise.resolve({
        bytes: (speeds[set] ?? 0) * seconds,
        seconds,
        latencies,
        digests: [],
      });
    },
  };
}

/** What is said of the rounds that go on. */
function rounds(changed: Partial<Rounds>): Rounds {
  return { rounds: 2, durationMs: 400, withBaseline: true, onRound: () => {}, ...changed };
}

Deno.test("warmUp reads a little of the directory and as much of its baseline", async () => {
  const fake = readers([300, 400]);
  await warmUp(fake, 20, true, NEVER);
  await warmUp(fake, 20, false, NEVER);
  await warmUp(fake, 0, true, NEVER);
  assert.deepEqual(fake.asked, ["0:10", "1:10", "0:20"]);
});

Deno.test("measure reads the directory and its baseline in turn, each first as often", async () => {
  const fake = readers([300, 400]);
  const { baseline, bytes, seconds, latencies } = await measure(fake, rounds({}), NEVER);
  assert.deepEqual(fake.asked, ["0:100", "1:100", "1:100", "0:100"]);
  assert.deepEqual(baseline?.ratios, [0.75, 0.75]);
  assert.equal(baseline.ratio, 0.75);
  assert.equal(Math.round(bytes / seconds), 300);
  assert.equal(latencies.total, 2);
});

Deno.test("measure gives all the time to the directory when there is no baseline", async () => {
  const fake = readers([300]);
  const said: string[] = [];
  const five = rounds({
    rounds: 5,
    durationMs: 1_000,
    withBaseline: false,
    onRound: (round) => said.push(`${round} after ${fake.asked.length}`),
  });
  const { baseline, seconds } = await measure(fake, five, NEVER);
  assert.deepEqual(fake.asked, new Array(5).fill("0:200"));
  assert.deepEqual(said, ["0 after 0", "1 after 1", "2 after 2", "3 after 3", "4 after 4"]);
  assert.equal(baseline, null);
  assert.equal(seconds, 1);
});
