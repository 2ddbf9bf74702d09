import assert from "node:assert/strict";
import { abortable, AbortScope } from "./abort_scope.ts";

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
