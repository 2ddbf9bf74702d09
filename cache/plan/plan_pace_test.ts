import { equal, ok } from "node:assert/strict";
import { PlanPace } from "./plan_pace.ts";

/** A pace after `reads` reads, one each `readMs`. */
function paceOf(reads: number, readMs: number): PlanPace {
  const pace = new PlanPace(0);
  for (let read = 1; read <= reads; read += 1) pace.advanced(read, read * readMs);
  return pace;
}

Deno.test("a pace is measured over seconds", () => {
  const pace = paceOf(1_000, 20);
  const rate = pace.readsPerSecond ?? 0;
  ok(Math.abs(rate - 50) < 1, `${rate} reads per second`);
});

Deno.test("times change only when they are drawn anew, and then by the pace", () => {
  const pace = paceOf(1_000, 20);
  equal(pace.dueMs(1_000), 1_000);
  ok(pace.follow(1_000, 20_000));
  equal(pace.dueMs(1_000), 20_000);
  ok(Math.abs(pace.dueMs(1_100) - 22_000) < 50, `${pace.dueMs(1_100)}`);
  ok(!pace.follow(1_000, 20_000), "nothing is off");
});

Deno.test("a reader that has stopped becomes slower and slower", () => {
  const pace = paceOf(1_000, 20);
  pace.follow(1_000, 20_000);
  ok(pace.follow(1_000, 80_000));
  ok(pace.dueMs(1_010) >= 80_000 + 10 * 60_000);
});
