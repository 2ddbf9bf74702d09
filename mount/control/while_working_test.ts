import { deepEqual, equal, rejects } from "node:assert/strict";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { whileWorking } from "./while_working.ts";

const NEVER = new AbortController().signal;

Deno.test("records say each second that the work goes on, and at last what it gave", async () => {
  const clock = new FakeClock();
  const work = Promise.withResolvers<string>();
  let seconds = 0;
  const records = whileWorking(work.promise, () => seconds += 1, clock, NEVER);
  for (const wanted of [1, 2, 3]) {
    const next = records.next();
    await clock.advance(1_000);
    deepEqual(await next, { value: wanted, done: false });
  }
  const last = records.next();
  work.resolve("done");
  deepEqual(await last, { value: "done", done: false });
  equal((await records.next()).done, true);
});

Deno.test("records end with the failure of their work, cut short or not", async () => {
  const clock = new FakeClock();
  const failing = whileWorking(Promise.reject(new Error("no")), () => 0, clock, NEVER);
  await rejects(failing.next(), /no/);
  const client = new AbortController();
  const work = new Promise<string>((_, reject) =>
    client.signal.addEventListener("abort", () => reject(client.signal.reason))
  );
  const records = whileWorking(work, () => 0, clock, client.signal);
  const next = records.next();
  client.abort(new Error("gone"));
  await rejects(next, /gone/);
});

Deno.test("who leaves the records waits until their work has ended", async () => {
  const clock = new FakeClock();
  const work = Promise.withResolvers<string>();
  const records = whileWorking(work.promise, () => 0, clock, NEVER);
  const next = records.next();
  await clock.advance(1_000);
  await next;
  let hasLeft = false;
  const leaving = records.return().then(() => hasLeft = true);
  await Promise.resolve();
  equal(hasLeft, false);
  work.reject(new Error("aborted"));
  await leaving;
});
