import assert from "node:assert/strict";
import { limited, requestTurns } from "./limited.ts";
import { MemoryBackend } from "../memory.ts";
import { FakeClock } from "../../../tests/support/fake_clock.ts";
import { ScriptedBackend } from "../../../tests/support/scripted_backend.ts";

const never = new AbortController().signal;

Deno.test("limited lets as many operations run as it may, and the next when one ends", async () => {
  const clock = new FakeClock();
  const memory = new MemoryBackend("memory", { pageSize: 10, pieceBytes: 10 }, clock);
  const scripted = new ScriptedBackend(memory);
  const backend = limited(scripted, requestTurns("memory", 2));
  const reason = new Error("No longer wanted");
  const first = new AbortController();
  scripted.steps.push({ kind: "hang", afterBytes: 0 }, { kind: "hang", afterBytes: 0 });
  const hanging = backend.stat("a", first.signal);
  const second = new AbortController();
  const alsoHanging = backend.stat("b", second.signal);
  const waiting = backend.stat("c", never);
  await clock.settle();
  assert.deepEqual(scripted.seen.map(({ path }) => path), ["a", "b"]);
  first.abort(reason);
  await assert.rejects(hanging, reason);
  assert.equal(await waiting, null);
  second.abort(reason);
  await assert.rejects(alsoHanging, reason);
});

Deno.test("limited forgets a caller that gives up waiting", async () => {
  const clock = new FakeClock();
  const memory = new MemoryBackend("memory", { pageSize: 10, pieceBytes: 10 }, clock);
  const scripted = new ScriptedBackend(memory);
  const backend = limited(scripted, requestTurns("memory", 1));
  const reason = new Error("No longer wanted");
  const controller = new AbortController();
  scripted.steps.push({ kind: "hang", afterBytes: 0 });
  const hanging = backend.stat("a", controller.signal);
  await clock.settle();
  const waiting = backend.stat("b", controller.signal);
  controller.abort(reason);
  await assert.rejects(waiting, reason);
  await assert.rejects(hanging, reason);
  assert.equal(await backend.stat("c", never), null);
  assert.deepEqual(scripted.seen.map(({ path }) => path), ["a", "c"]);
});
