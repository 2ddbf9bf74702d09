import assert from "node:assert/strict";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { abortable, AbortScope, withTimeout } from "./abort_scope.ts";

Deno.test("AbortScope follows its parent, and not the other way round", () => {
  const parent = new AbortController();
  using scope = new AbortScope(parent.signal);
  using other = new AbortScope(parent.signal);
  scope.abort("mine");
  assert.equal(scope.signal.reason, "mine");
  assert.equal(parent.signal.aborted, false);
  parent.abort("all");
  assert.equal(other.signal.reason, "all");
  assert.equal(scope.signal.reason, "mine");
  using late = new AbortScope(parent.signal);
  assert.equal(late.signal.reason, "all");
});

Deno.test("AbortScope follows no longer once disposed", () => {
  const parent = new AbortController();
  const scope = new AbortScope(parent.signal);
  scope[Symbol.dispose]();
  parent.abort("all");
  assert.equal(scope.signal.aborted, false);
});

Deno.test("abortable rejects with the signal's reason, whatever comes later", async () => {
  const failing = Promise.withResolvers<never>();
  const reason = new Error("No longer wanted");
  await assert.rejects(abortable(failing.promise, AbortSignal.abort(reason)), reason);
  failing.reject(new Error("Too late to matter"));
  assert.equal(await abortable(Promise.resolve(1), new AbortController().signal), 1);
});

Deno.test("withTimeout aborts what takes too long, and leaves no timer behind", async () => {
  const clock = new FakeClock();
  const parent = new AbortController();
  const late = () => new Error("Too late");
  const begin = () =>
    withTimeout(parent.signal, 1_000, clock, late, (signal) => {
      return abortable(new Promise<never>(() => {}), signal);
    });
  const slow = assert.rejects(begin(), /^Error: Too late$/);
  await clock.advance(1_000);
  await slow;
  assert.equal(await withTimeout(parent.signal, 1_000, clock, late, () => Promise.resolve(1)), 1);
  const unwanted = assert.rejects(begin(), /No longer wanted/);
  parent.abort(new Error("No longer wanted"));
  await unwanted;
  assert.equal(clock.sleeping, 0);
});
