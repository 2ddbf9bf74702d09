import { equal, rejects } from "node:assert/strict";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { failing, ScriptedBackend } from "../../tests/support/scripted_backend.ts";
import { AdaptiveLimit, observed, START } from "./adaptive_limit.ts";
import { MemoryBackend } from "./memory.ts";

const NEVER = new AbortController().signal;

/** Lets `count` reads succeed, as many at once as the limit allows. */
function succeed(limit: AdaptiveLimit, count: number, firstByteMs = 10): void {
  let running = 0;
  for (let done = 0; done < count; done += 1) {
    for (; running < limit.current; running += 1) limit.started();
    limit.succeeded(firstByteMs);
    limit.ended();
    running -= 1;
  }
  for (; running > 0; running -= 1) limit.ended();
}

Deno.test("AdaptiveLimit grows by one with each round that succeeds, up to its bound", () => {
  const limit = new AdaptiveLimit(START + 2);
  succeed(limit, START);
  equal(limit.current, START + 1);
  succeed(limit, START);
  equal(limit.current, START + 1);
  succeed(limit, 10 * START);
  equal(limit.current, START + 2);
});

Deno.test("AdaptiveLimit does not grow while little of it is used", () => {
  const limit = new AdaptiveLimit(64);
  for (let count = 0; count < 1_000; count += 1) {
    limit.started();
    limit.succeeded(10);
    limit.ended();
  }
  equal(limit.current, START);
});

Deno.test("AdaptiveLimit halves once for all requests that were out together", () => {
  const limit = new AdaptiveLimit(64);
  const rounds = Array.from({ length: START }, () => limit.started());
  for (const round of rounds) limit.throttled(round);
  equal(limit.current, START / 2);
  limit.throttled(limit.started());
  equal(limit.current, START / 4);
});

Deno.test("AdaptiveLimit keeps at least one request, and grows back when the store recovers", () => {
  const limit = new AdaptiveLimit(64);
  for (let count = 0; count < 10; count += 1) {
    limit.throttled(limit.started());
    limit.ended();
  }
  equal(limit.current, 1);
  succeed(limit, 1_000, 100);
  equal(limit.current > START, true);
});

Deno.test("AdaptiveLimit has none to spare when it is used up, or after a slow-down", () => {
  const limit = new AdaptiveLimit(2);
  equal(limit.spare, true);
  const round = limit.started();
  limit.started();
  equal(limit.spare, false);
  limit.throttled(round);
  limit.ended();
  limit.ended();
  equal(limit.spare, false);
  succeed(limit, 1);
  equal(limit.spare, true);
});

Deno.test("AdaptiveLimit halves when the latency of all rises, not when one request stalls", () => {
  const limit = new AdaptiveLimit(64);
  succeed(limit, 500, 20);
  const before = limit.current;
  for (let count = 0; count < 10; count += 1) {
    succeed(limit, 1, 2_000);
    succeed(limit, 99, 20);
  }
  equal(limit.current >= before, true);
  const calm = limit.current;
  succeed(limit, calm * 2, 500);
  equal(limit.current < calm, true);
});

Deno.test("observed tells the limit of each attempt that was asked to slow down", async () => {
  const clock = new FakeClock();
  const memory = new MemoryBackend("memory", { pageSize: 10, pieceBytes: 10 }, clock);
  const scripted = new ScriptedBackend(memory);
  const limit = new AdaptiveLimit(64);
  const backend = observed(scripted, limit, clock);
  scripted.steps.push(failing("throttled"), failing("unavailable"));
  await rejects(backend.stat("a", NEVER));
  equal(limit.current, START / 2);
  await rejects(backend.stat("a", NEVER));
  equal(await backend.stat("a", NEVER), null);
  equal(limit.current, START / 2);
});
