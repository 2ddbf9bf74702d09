import assert from "node:assert/strict";
import { type Backend, BackendError, type BackendErrorCode } from "../backend.ts";
import { MemoryBackend } from "../memory.ts";
import { retry } from "./retry.ts";
import { FakeClock } from "../../../tests/support/fake_clock.ts";
import { failing, ScriptedBackend } from "../../../tests/support/scripted_backend.ts";

const never = new AbortController().signal;
const POLICY = {
  attemptsMax: 4,
  pauseFirstMs: 100,
  pauseMaxMs: 300,
  retryAfterMaxMs: 10_000,
  quietMaxMs: 60_000,
};

interface Bench {
  readonly clock: FakeClock;
  readonly scripted: ScriptedBackend;
  readonly backend: Backend;
  readonly version: string;
}

function bench(random = 0.5): Bench {
  const clock = new FakeClock();
  const memory = new MemoryBackend("memory", { pageSize: 10, pieceBytes: 10 }, clock);
  const { version } = memory.seed("object", new Uint8Array(100).map((_, index) => index));
  const scripted = new ScriptedBackend(memory);
  const backend = retry(scripted, POLICY, { clock, random: () => random });
  return { clock, scripted, backend, version };
}

function codeOf(error: unknown): string {
  return error instanceof BackendError ? error.code : String(error);
}

Deno.test("retry repeats what may pass, after pauses that double up to a bound", async () => {
  const { clock, scripted, backend } = bench(0.5);
  scripted.steps.push(failing("unavailable"), failing("throttled"), failing("timeout"));
  const stat = backend.stat("object", never);
  await clock.advance(1_000);
  assert.equal((await stat)?.kind, "object");
  assert.deepEqual(clock.sleptMs, [50, 100, 150]);
});

Deno.test("retry gives up after its last attempt, with the last error", async () => {
  const { clock, scripted, backend } = bench();
  scripted.steps.push(...Array.from({ length: 9 }, () => failing("unavailable")));
  const stat = backend.stat("object", never).catch(codeOf);
  await clock.advance(10_000);
  assert.equal(await stat, "unavailable");
  assert.equal(scripted.seen.length, POLICY.attemptsMax);
});

Deno.test("retry never repeats what will not pass", async () => {
  const codes: BackendErrorCode[] = ["denied", "not_found", "changed", "invalid", "degraded"];
  for (const code of codes) {
    const { scripted, backend } = bench();
    scripted.steps.push(failing(code));
    assert.equal(await backend.stat("object", never).catch(codeOf), code);
    assert.equal(scripted.seen.length, 1);
  }
});

Deno.test("retry waits at least as long as the store asks for", async () => {
  const { clock, scripted, backend } = bench(0.1);
  scripted.steps.push(failing("throttled", 2_000));
  const stat = backend.stat("object", never);
  await clock.advance(1_999);
  assert.equal(scripted.seen.length, 1);
  await clock.advance(11);
  assert.equal((await stat)?.kind, "object");
  assert.deepEqual(clock.sleptMs, [2_010]);
});

Deno.test("retry does not wait for a store that asks for more than its patience", async () => {
  const { scripted, backend } = bench();
  scripted.steps.push(failing("throttled", 10_001));
  assert.equal(await backend.stat("object", never).catch(codeOf), "throttled");
  assert.equal(scripted.seen.length, 1);
});

Deno.test("retry goes on with a read where the last attempt stopped", async () => {
  const { clock, scripted, backend, version } = bench(0);
  scripted.steps.push(
    { kind: "fail", code: "unavailable", retryAfterMs: null, afterBytes: 30 },
    { kind: "fail", code: "unavailable", retryAfterMs: null, afterBytes: 20 },
  );
  const target = new Uint8Array(80);
  const announced: number[] = [];
  const onFilled = (filled: number) => announced.push(filled);
  const read = backend.read({ path: "object", version, offset: 10, target, onFilled }, never);
  await clock.advance(1_000);
  await read;
  assert.deepEqual([...target], Array.from({ length: 80 }, (_, index) => index + 10));
  assert.deepEqual(scripted.seen.map(({ offset }) => offset), [10, 40, 60]);
  assert.deepEqual(announced, [10, 20, 30, 40, 50, 60, 70, 80]);
});

Deno.test("retry ends its pause when the caller gives up", async () => {
  const { clock, scripted, backend } = bench();
  scripted.steps.push(failing("unavailable"));
  const controller = new AbortController();
  const stat = backend.stat("object", controller.signal);
  await clock.settle();
  const reason = new Error("No longer wanted");
  controller.abort(reason);
  await assert.rejects(stat, reason);
  assert.equal(clock.sleeping, 0);
  assert.equal(scripted.seen.length, 1);
});

Deno.test("retry tells the cause rather than pause beyond what its caller waits", async () => {
  const { clock, scripted } = bench();
  const policy = { ...POLICY, quietMaxMs: 20_000 };
  const backend = retry(scripted, policy, { clock, random: () => 0 });
  scripted.steps.push(...Array.from({ length: 3 }, () => failing("throttled", 9_000)));
  const stat = backend.stat("object", never).catch(codeOf);
  await clock.advance(18_000);
  assert.equal(await stat, "throttled");
  assert.deepEqual(clock.sleptMs, [9_000, 9_000]);
});

Deno.test("retry counts what its caller waits from the last byte that moved", async () => {
  const { clock, scripted, version } = bench();
  const policy = { ...POLICY, quietMaxMs: 20_000 };
  const backend = retry(scripted, policy, { clock, random: () => 0 });
  const broken = { kind: "fail", code: "throttled", retryAfterMs: 9_000, afterBytes: 10 } as const;
  scripted.steps.push(broken, broken, broken);
  const target = new Uint8Array(80);
  const read = backend.read(
    { path: "object", version, offset: 0, target, onFilled: () => {} },
    never,
  );
  await clock.advance(27_000);
  await read;
  assert.equal(scripted.seen.length, 4);
});
