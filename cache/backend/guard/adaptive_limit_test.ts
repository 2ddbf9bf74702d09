import { equal, rejects } from "node:assert/strict";
import { FakeClock } from "../../../tests/support/fake_clock.ts";
import { failing, ScriptedBackend } from "../../../tests/support/scripted_backend.ts";
import { AdaptiveLimit, observed, START } from "./adaptive_limit.ts";
import { MemoryBackend } from "../memory.ts";

const NEVER = new AbortController().signal;

/** Lets `count` reads succeed, as many at once as the limit allows; `ms` as their first is sent. */
function succeed(limit: AdaptiveLimit, count: number, ms: (limit: number) => number): void {
  const running: { readonly round: number; readonly ms: number }[] = [];
  for (let done = 0; done < count; done += 1) {
    while (running.length < limit.current) {
      running.push({ round: limit.started(), ms: ms(limit.current) });
    }
    const first = running.shift();
    if (first !== undefined) limit.succeeded(first.round, first.ms);
    limit.ended();
  }
  for (; running.length > 0; running.pop()) limit.ended();
}

Deno.test("AdaptiveLimit grows by one with each round that succeeds, up to its bound", () => {
  const limit = new AdaptiveLimit(START + 2);
  succeed(limit, START, () => 10);
  equal(limit.current, START + 1);
  succeed(limit, START, () => 10);
  equal(limit.current, START + 1);
  succeed(limit, 10 * START, () => 10);
  equal(limit.current, START + 2);
});

Deno.test("AdaptiveLimit does not grow while little of it is used", () => {
  const limit = new AdaptiveLimit(64);
  for (let count = 0; count < 1_000; count += 1) {
    limit.succeeded(limit.started(), 10);
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

Deno.test("AdaptiveLimit keeps at least one request, and grows as the store recovers", () => {
  const limit = new AdaptiveLimit(64);
  for (let count = 0; count < 10; count += 1) {
    limit.throttled(limit.started());
    limit.ended();
  }
  equal(limit.current, 1);
  succeed(limit, 1_000, () => 100);
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
  succeed(limit, 1, () => 10);
  equal(limit.spare, true);
});

Deno.test("AdaptiveLimit halves when the latency of all rises, not when one request stalls", () => {
  const limit = new AdaptiveLimit(64);
  let sent = 0;
  succeed(limit, 1_000, () => (sent += 1) % 100 === 0 ? 2_000 : 20);
  const before = limit.current;
  equal(before > 2 * START, true);
  // As slow as there are requests, as of a store that works on one after the other.
  succeed(limit, 2_000, (requests) => 10 * requests);
  equal(limit.current < before / 2, true, `${limit.current} of ${before}`);
});

Deno.test("AdaptiveLimit halves once for a latency that does not depend on it", () => {
  const limit = new AdaptiveLimit(64);
  succeed(limit, 500, () => 20);
  const before = limit.current;
  let least = before;
  for (let count = 0; count < 100; count += 1) {
    succeed(limit, 200, () => 300);
    least = Math.min(least, limit.current);
  }
  equal(least < before && least >= Math.floor(before / 2), true, `${least} of ${before}`);
  equal(limit.current > before, true);
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
