import assert from "node:assert/strict";
import { type Clock, systemClock } from "../platform/clock.ts";
import { SharedWork } from "./shared_work.ts";

/** A clock whose sleeps end when the test says so. */
function manualClock(): { readonly clock: Clock; readonly wake: () => void } {
  const sleepers: (() => void)[] = [];
  return {
    clock: {
      ...systemClock,
      sleep: (_ms, signal) =>
        new Promise((resolve, reject) => {
          sleepers.push(resolve);
          signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        }),
    },
    wake: () => sleepers.splice(0).forEach((wake) => wake()),
  };
}

const never = new AbortController().signal;

Deno.test("SharedWork does the work once for callers that wait together", async () => {
  const works = new SharedWork<number>(systemClock, 0);
  const gate = Promise.withResolvers<number>();
  let started = 0;
  const start = () => {
    started += 1;
    return gate.promise;
  };
  const both = [works.run("a", never, start), works.run("a", never, start)];
  gate.resolve(7);
  assert.deepEqual(await Promise.all(both), [7, 7]);
  assert.equal(started, 1);
  assert.equal(works.size, 0);
});

Deno.test("SharedWork keeps a result for a caller that left and comes back", async () => {
  const { clock, wake } = manualClock();
  const works = new SharedWork<number>(clock, 5_000);
  const gate = Promise.withResolvers<number>();
  const leaving = new AbortController();
  const first = works.run("a", leaving.signal, () => gate.promise);
  leaving.abort(new Error("Interrupted"));
  await assert.rejects(first, /Interrupted/);
  gate.resolve(7);
  assert.equal(await works.run("a", never, () => Promise.reject(new Error("Started again"))), 7);
  wake();
});

Deno.test("SharedWork cancels work that nobody came back for", async () => {
  const { clock, wake } = manualClock();
  const works = new SharedWork<number>(clock, 5_000);
  const cancelled = Promise.withResolvers<void>();
  const leaving = new AbortController();
  const first = works.run("a", leaving.signal, (signal) => {
    signal.addEventListener("abort", () => cancelled.resolve(), { once: true });
    return new Promise(() => {});
  });
  leaving.abort(new Error("Interrupted"));
  await assert.rejects(first, /Interrupted/);
  wake();
  await cancelled.promise;
  assert.equal(works.size, 0);
});

Deno.test("SharedWork starts again after a failure", async () => {
  const works = new SharedWork<number>(systemClock, 0);
  await assert.rejects(works.run("a", never, () => Promise.reject(new Error("down"))), /down/);
  assert.equal(await works.run("a", never, () => Promise.resolve(7)), 7);
});
