import { equal, rejects } from "node:assert/strict";
import { oneOperation } from "./one_operation.ts";

const NEVER = new AbortController().signal;

Deno.test("what an operation began ends when a part of it fails", async () => {
  const failed = new Error("a part failed");
  let other: AbortSignal = NEVER;
  const run = (signal: AbortSignal): Promise<never> => {
    other = signal;
    return Promise.reject(failed);
  };
  const told = new Error("the operation failed");
  await rejects(oneOperation(NEVER, run, (error) => error === failed ? told : error), told);
  equal(other.aborted, true);
});

Deno.test("who gave up hears why he did, and not what failed of it", async () => {
  const reason = new Error("no longer wanted");
  const controller = new AbortController();
  const run = (signal: AbortSignal) => {
    controller.abort(reason);
    return Promise.reject(signal.reason);
  };
  await rejects(oneOperation(controller.signal, run, () => new Error("told")), reason);
  await rejects(oneOperation(AbortSignal.abort(reason), () => Promise.resolve(1), String), reason);
});
