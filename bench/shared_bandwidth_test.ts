import { deepEqual, equal } from "node:assert/strict";
import { FakeClock } from "../tests/support/fake_clock.ts";
import { SharedBandwidth } from "./shared_bandwidth.ts";

const NEVER = new AbortController().signal;

Deno.test("connections share the link in the order they ask", async () => {
  const clock = new FakeClock();
  await clock.advance(100);
  const link = new SharedBandwidth(1_000_000, clock);
  const done: string[] = [];
  const passes = ["first", "second"].map((name) =>
    link.pass(100_000, NEVER).then(() => done.push(name))
  );
  // A link that was idle makes up for the lateness of its timers, 10 ms and no more.
  deepEqual(clock.sleptMs, [90, 190]);
  await clock.advance(90);
  deepEqual(done, ["first"]);
  await clock.advance(100);
  await Promise.all(passes);
});

Deno.test("a link without a limit never waits", async () => {
  const clock = new FakeClock();
  const link = new SharedBandwidth(Infinity, clock);
  await link.pass(1e9, NEVER);
  equal(clock.sleeping, 0);
});
