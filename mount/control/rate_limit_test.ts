import { deepEqual, equal } from "node:assert/strict";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { RateLimit, type RateSettings } from "./rate_limit.ts";

const SETTINGS: RateSettings = { perSecond: 10, burst: 3, usersMax: 2 };

function kinds(limit: RateLimit, uid: number, count: number): readonly string[] {
  return Array.from({ length: count }, () => limit.take(uid).kind);
}

Deno.test("RateLimit grants a burst, then refuses", () => {
  const limit = new RateLimit(SETTINGS, new FakeClock());
  deepEqual(kinds(limit, 1, 4), ["granted", "granted", "granted", "refused"]);
});

Deno.test("RateLimit grants what time has earned since", async () => {
  const clock = new FakeClock();
  const limit = new RateLimit(SETTINGS, clock);
  kinds(limit, 1, 3);
  await clock.advance(200);
  deepEqual(kinds(limit, 1, 3), ["granted", "granted", "refused"]);
});

Deno.test("RateLimit says when a refused request would be granted", async () => {
  const clock = new FakeClock();
  const limit = new RateLimit(SETTINGS, clock);
  kinds(limit, 1, 3);
  const verdict = limit.take(1);
  deepEqual(verdict, { kind: "refused", retryMs: 200 });
  await clock.advance(200);
  equal(limit.take(1).kind, "granted");
});

Deno.test("RateLimit drops who keeps asking, until they pause", async () => {
  const clock = new FakeClock();
  const limit = new RateLimit(SETTINGS, clock);
  deepEqual(kinds(limit, 1, 8).slice(5), ["refused", "dropped", "dropped"]);
  await clock.advance(100);
  equal(limit.take(1).kind, "refused");
  await clock.advance(1_000);
  equal(limit.take(1).kind, "granted");
});

Deno.test("RateLimit keeps users apart", () => {
  const limit = new RateLimit(SETTINGS, new FakeClock());
  kinds(limit, 1, 8);
  deepEqual(kinds(limit, 2, 3), ["granted", "granted", "granted"]);
});

Deno.test("RateLimit forgets who asked longest ago when there are too many", () => {
  const limit = new RateLimit(SETTINGS, new FakeClock());
  kinds(limit, 1, 4);
  kinds(limit, 2, 4);
  kinds(limit, 1, 1);
  kinds(limit, 3, 1);
  equal(limit.take(1).kind, "refused");
  equal(limit.take(2).kind, "granted");
});
