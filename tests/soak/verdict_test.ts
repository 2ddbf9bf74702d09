import { deepEqual, equal, match, ok } from "node:assert/strict";
import { faultsOf, growthOf, type Outcome, type Sample } from "./verdict.ts";

const MIB = 1 << 20;

function sample(seconds: number, changed: Partial<Sample> = {}): Sample {
  return {
    seconds,
    residentBytes: 200 * MIB,
    descriptors: 30,
    requestsInFlight: 2,
    bufferBytes: MIB,
    answerMs: 3,
    ...changed,
  };
}

const REST = { requestsInFlight: 0, bufferBytes: 0 };

function outcome(changed: Partial<Outcome> = {}): Outcome {
  return {
    samples: Array.from({ length: 100 }, (_, number) => sample(number * 36)),
    before: sample(0, REST),
    after: sample(3_600, REST),
    wrongBytes: [],
    unexpectedErrors: [],
    loggedErrors: [],
    corruptions: 0,
    exitCode: 0,
    ...changed,
  };
}

/** An hour in which memory grows by `bytesPerHour` from `fromSeconds` on. */
function growing(bytesPerHour: number, fromSeconds = 0): Sample[] {
  return Array.from({ length: 101 }, (_, number) => {
    const seconds = number * 36;
    const grown = Math.max(0, seconds - fromSeconds) / 3_600 * bytesPerHour;
    return sample(seconds, { residentBytes: 200 * MIB + grown });
  });
}

Deno.test("a soak without anything wrong passes", () => {
  deepEqual(faultsOf(outcome()), []);
});

Deno.test("a soak fails for each thing that is wrong", () => {
  const wrong: readonly (readonly [Partial<Outcome>, RegExp])[] = [
    [{ wrongBytes: ["shards/1 at 7"] }, /Wrong bytes: shards\/1 at 7/],
    [{ unexpectedErrors: ["EIO"] }, /Unexpected error: EIO/],
    [{ loggedErrors: ["Lose a task"] }, /Logged error: Lose a task/],
    [{ corruptions: 2 }, /2 corruptions/],
    [{ exitCode: 1 }, /exit code 1/],
    [{ after: sample(0, { ...REST, descriptors: 60 }) }, /60 descriptors are open, 30 were/],
    [{ after: sample(0, { ...REST, requestsInFlight: 1 }) }, /1 requests are still in flight/],
    [{ after: sample(0, { ...REST, bufferBytes: MIB }) }, /1\.0 MiB of buffers are still taken/],
    [{ samples: growing(200 * MIB) }, /grew by 120\.0 MiB after its warm-up/],
  ];
  for (const [changed, message] of wrong) {
    const faults = faultsOf(outcome(changed));
    equal(faults.length, 1);
    match(faults.join(), message);
  }
});

Deno.test("memory may grow while it warms up, and a little afterwards", () => {
  const { bytes, bytesMax } = growthOf(growing(60 * MIB));
  equal(Math.round(bytes / MIB), 36);
  ok(bytes < bytesMax);
  const warming = growing(500 * MIB).map((each, number) =>
    number < 40 ? each : sample(each.seconds, { residentBytes: 400 * MIB })
  );
  equal(growthOf(warming).bytes, 0);
  equal(growthOf([]).bytes, 0);
  equal(growthOf(growing(9_000 * MIB).slice(0, 16)).bytes, 0);
});
