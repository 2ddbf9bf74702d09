import assert from "node:assert/strict";
import { BackendError } from "../backend.ts";
import { MemoryBackend } from "../memory.ts";
import { type BackendMetrics, metered } from "./metered.ts";
import { FakeClock } from "../../../tests/support/fake_clock.ts";
import { failing, ScriptedBackend } from "../../../tests/support/scripted_backend.ts";

const never = new AbortController().signal;

function bench() {
  const clock = new FakeClock();
  const memory = new MemoryBackend("memory", { pageSize: 10, pieceBytes: 10 }, clock);
  const { version } = memory.seed("object", new Uint8Array(100));
  const scripted = new ScriptedBackend(memory);
  const noted: string[] = [];
  const metrics: BackendMetrics = {
    request: (backend, operation, seconds) => noted.push(`${backend} ${operation} ${seconds}`),
    error: (backend, errorType) => noted.push(`${backend} error ${errorType}`),
    bytesRead: (backend, bytes) => noted.push(`${backend} bytes ${bytes}`),
    hedge: () => {},
    authRefresh: () => {},
  };
  return { clock, scripted, noted, version, backend: metered(scripted, metrics, clock) };
}

Deno.test("metered counts the bytes of a read as they arrive, also of one that fails", async () => {
  const { backend, scripted, noted, version } = bench();
  scripted.steps.push({ kind: "fail", code: "unavailable", retryAfterMs: null, afterBytes: 20 });
  const target = new Uint8Array(100);
  const range = { path: "object", version, offset: 0, target, onFilled: () => {} };
  await assert.rejects(backend.read(range, never));
  assert.deepEqual(noted, [
    "memory bytes 10",
    "memory bytes 10",
    "memory error unavailable",
    "memory read 0",
  ]);
});

Deno.test("metered times every operation", async () => {
  const { clock, backend, scripted, noted } = bench();
  const controller = new AbortController();
  scripted.steps.push({ kind: "hang", afterBytes: 0 });
  const list = backend.list("", null, controller.signal);
  await clock.advance(1_500);
  controller.abort(new Error("No longer wanted"));
  await assert.rejects(list);
  assert.deepEqual(noted, ["memory list 1.5"]);
});

Deno.test("metered counts failures by their code, and a deadline as one", async () => {
  const { clock, backend, scripted, noted } = bench();
  scripted.steps.push(failing("denied"), { kind: "hang", afterBytes: 0 });
  await assert.rejects(backend.stat("object", never));
  const controller = new AbortController();
  const stat = backend.stat("object", controller.signal);
  await clock.settle();
  controller.abort(new BackendError("timeout", "memory", "stat", "object", "quiet"));
  await assert.rejects(stat);
  const errors = noted.filter((line) => line.includes("error"));
  assert.deepEqual(errors, ["memory error denied", "memory error timeout"]);
});
