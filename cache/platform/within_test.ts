import assert from "node:assert/strict";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { systemClock } from "./clock.ts";
import { within } from "./within.ts";

const late = () => new Error("Too late");

Deno.test("within gives what the work gives, and leaves no timer behind", async () => {
  const clock = new FakeClock();
  assert.equal(await within(Promise.resolve(7), 1_000, clock, late), 7);
  await assert.rejects(within(Promise.reject(new Error("Its own")), 1_000, clock, late), /Its own/);
  assert.equal(clock.sleeping, 0);
});

Deno.test("within gives up on slow work, whose outcome then disturbs nobody", async () => {
  const clock = new FakeClock();
  const work = Promise.withResolvers<number>();
  const outcome = assert.rejects(within(work.promise, 1_000, clock, late), /Too late/);
  await clock.advance(1_000);
  await outcome;
  work.reject(new Error("Much later"));
  await clock.settle();
});

Deno.test("within lets an answer in that came while the event loop was kept busy", async () => {
  const program = "onmessage = () => postMessage(7); postMessage(0);";
  const worker = new Worker(`data:application/javascript,${program}`, { type: "module" });
  const next = () =>
    new Promise<number>((resolve) => worker.onmessage = (event) => resolve(event.data));
  try {
    await next();
    const answered = within(next(), 20, systemClock, late);
    worker.postMessage(null);
    const startedMs = performance.now();
    while (performance.now() - startedMs < 200);
    assert.equal(await answered, 7);
  } finally {
    worker.terminate();
  }
});
