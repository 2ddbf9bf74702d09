import assert from "node:assert/strict";
import { BackendError, type BackendErrorCode } from "../backend.ts";
import { HealthGuard, OUTAGES_MAX } from "./health.ts";
import { MemoryBackend } from "../memory.ts";
import { createLogger } from "../../platform/log.ts";
import { FakeClock } from "../../../tests/support/fake_clock.ts";
import { failing, ScriptedBackend } from "../../../tests/support/scripted_backend.ts";

const never = new AbortController().signal;

interface Bench extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly scripted: ScriptedBackend;
  readonly guard: HealthGuard;
  readonly logged: string[];
}

function bench(): Bench {
  const clock = new FakeClock();
  const memory = new MemoryBackend("memory", { pageSize: 10, pieceBytes: 10 }, clock);
  memory.seed("object", new Uint8Array(10));
  const scripted = new ScriptedBackend(memory);
  const logged: string[] = [];
  const logger = createLogger({
    level: "info",
    format: "json",
    stacks: false,
    write: (line) => logged.push(line),
    now: () => new Date(clock.wallMs()),
  });
  const probe = (signal: AbortSignal) => scripted.stat("probe", signal);
  const guard = new HealthGuard(scripted, { probe, clock, logger });
  return {
    clock,
    scripted,
    guard,
    logged,
    [Symbol.asyncDispose]: () => guard.backend[Symbol.asyncDispose](),
  };
}

function codeOf(error: unknown): string {
  return error instanceof BackendError ? error.code : String(error);
}

async function failTimes(bench: Bench, times: number, code: BackendErrorCode): Promise<void> {
  for (let count = 0; count < times; count += 1) {
    bench.scripted.steps.push(failing(code));
    assert.equal(await bench.guard.backend.stat("object", never).catch(codeOf), code);
  }
}

function probes(bench: Bench): number {
  return bench.scripted.seen.filter(({ path }) => path === "probe").length;
}

Deno.test("HealthGuard degrades a backend at the third outage in a row", async () => {
  const codes: BackendErrorCode[] = ["unavailable", "timeout", "throttled"];
  for (const code of codes) {
    await using b = bench();
    await failTimes(b, OUTAGES_MAX - 1, code);
    assert.equal(b.guard.state.state, "healthy");
    await failTimes(b, 1, code);
    assert.deepEqual(b.guard.state, {
      state: "degraded",
      sinceMs: 0,
      reason: `it was told to be ${code}`,
    });
    assert.equal(b.logged.length, 1);
  }
});

Deno.test("HealthGuard takes an answer between outages for a sign of life", async () => {
  await using b = bench();
  for (let round = 0; round < 3; round += 1) {
    await failTimes(b, OUTAGES_MAX - 1, "unavailable");
    await b.guard.backend.stat("object", never);
    await failTimes(b, OUTAGES_MAX - 1, "unavailable");
    await failTimes(b, 1, "denied");
  }
  assert.equal(b.guard.state.state, "healthy");
});

Deno.test("HealthGuard fails operations at once while degraded, but not the root", async () => {
  await using b = bench();
  await failTimes(b, OUTAGES_MAX, "unavailable");
  const before = b.scripted.seen.length;
  assert.equal(await b.guard.backend.stat("object", never).catch(codeOf), "degraded");
  assert.equal(await b.guard.backend.list("", null, never).catch(codeOf), "degraded");
  assert.equal(b.scripted.seen.length, before);
  assert.equal((await b.guard.backend.stat("", never))?.kind, "directory");
});

Deno.test("HealthGuard probes with growing pauses until the store answers", async () => {
  await using b = bench();
  await failTimes(b, OUTAGES_MAX, "unavailable");
  b.scripted.steps.push(...Array.from({ length: 7 }, () => failing("unavailable")));
  await b.clock.advance(1_000 + 2_000 + 4_000 + 8_000 + 16_000 + 30_000 + 30_000);
  assert.equal(probes(b), 7);
  assert.equal(b.guard.state.state, "degraded");
  await b.clock.advance(30_000);
  assert.equal(probes(b), 8);
  assert.deepEqual(b.guard.state, { state: "healthy", latencyMs: 0 });
  assert.equal((await b.guard.backend.stat("object", never))?.kind, "object");
  await b.clock.advance(100_000);
  assert.equal(probes(b), 8);
  assert.equal(b.logged.length, 2);
});

Deno.test("HealthGuard takes a refused probe for an answer", async () => {
  await using b = bench();
  await failTimes(b, OUTAGES_MAX, "unavailable");
  b.scripted.steps.push(failing("denied"));
  await b.clock.advance(1_000);
  assert.equal(b.guard.state.state, "healthy");
});

Deno.test("HealthGuard recovers when an operation under way succeeds", async () => {
  await using b = bench();
  const reading = Promise.withResolvers<void>();
  const late = b.guard.backend.put("late", {
    sizeBytes: 1,
    async *open() {
      await reading.promise;
      yield new Uint8Array(1);
    },
  }, never);
  await failTimes(b, OUTAGES_MAX, "unavailable");
  reading.resolve();
  await late;
  assert.equal(b.guard.state.state, "healthy");
  await b.clock.advance(10_000);
  assert.equal(probes(b), 0);
});

Deno.test("HealthGuard does not count a caller that gave up", async () => {
  await using b = bench();
  for (let round = 0; round < OUTAGES_MAX; round += 1) {
    b.scripted.steps.push({ kind: "hang", afterBytes: 0 });
    const controller = new AbortController();
    const reason = new BackendError("timeout", "memory", "stat", "object", "given up");
    const stat = b.guard.backend.stat("object", controller.signal);
    controller.abort(reason);
    await assert.rejects(stat, reason);
  }
  assert.equal(b.guard.state.state, "healthy");
});

Deno.test("HealthGuard notes what a check finds", async () => {
  await using b = bench();
  await b.guard.check(never);
  assert.deepEqual(b.guard.state, { state: "healthy", latencyMs: 0 });
  b.scripted.steps.push(failing("unavailable"), failing("unavailable"), failing("unavailable"));
  for (let round = 0; round < OUTAGES_MAX; round += 1) {
    assert.equal(await b.guard.check(never).catch(codeOf), "unavailable");
  }
  assert.equal(b.guard.state.state, "degraded");
  await b.guard.check(never);
  assert.equal(b.guard.state.state, "healthy");
});

Deno.test("HealthGuard stops probing when closed", async () => {
  const b = bench();
  await failTimes(b, OUTAGES_MAX, "unavailable");
  await b.clock.settle();
  assert.equal(b.clock.sleeping, 1);
  await b.guard.backend[Symbol.asyncDispose]();
  assert.equal(b.clock.sleeping, 0);
});
