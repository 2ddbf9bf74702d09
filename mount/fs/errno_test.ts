import assert from "node:assert/strict";
import { SystemError } from "../../cache/platform/errno.ts";
import { QueueFullError } from "../../cache/platform/limit.ts";
import { verdictOn } from "./errno.ts";

Deno.test("verdictOn tells callers what a system call said", () => {
  assert.deepEqual(verdictOn(new SystemError("stat", "a", 13)), { errno: 13, level: "warn" });
});

Deno.test("verdictOn answers a caller that was let go with EINTR", () => {
  assert.deepEqual(verdictOn(AbortSignal.abort().reason), { errno: 4, level: "debug" });
});

Deno.test("verdictOn asks callers to try again when a queue is full", () => {
  assert.deepEqual(verdictOn(new QueueFullError("Wait")), { errno: 11, level: "warn" });
});

Deno.test("verdictOn has none on what nobody foresaw", () => {
  for (const error of [new Error("x"), new TypeError("x"), "text", undefined]) {
    assert.equal(verdictOn(error), null);
  }
});
