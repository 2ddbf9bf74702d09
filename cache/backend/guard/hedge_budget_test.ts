import { equal } from "node:assert/strict";
import { HedgeBudget } from "./hedge_budget.ts";

const MIB = 1 << 20;

/** How many of `reads` ranges of `bytes` may be asked for twice, when all stall. */
function hedgesOf(budget: HedgeBudget, reads: number, bytes: number): number {
  let hedges = 0;
  for (let read = 0; read < reads; read += 1) {
    budget.earn(bytes);
    if (!budget.affords(bytes)) continue;
    budget.spend(bytes);
    hedges += 1;
  }
  return hedges;
}

Deno.test("HedgeBudget lets one request in twenty be sent twice", () => {
  const hedges = hedgesOf(new HedgeBudget(), 10_000, 4 * MIB);
  equal(hedges > 450 && hedges <= 500, true, `${hedges}`);
});

Deno.test("HedgeBudget lets few large ranges follow many small ones", () => {
  const budget = new HedgeBudget();
  for (let read = 0; read < 1_000; read += 1) budget.earn(4_096);
  equal(budget.affords(4 * MIB), false);
  equal(budget.affords(128 * 1024), true);
});

Deno.test("HedgeBudget saves no more than a few requests", () => {
  const budget = new HedgeBudget();
  for (let read = 0; read < 100_000; read += 1) budget.earn(MIB);
  let hedges = 0;
  for (; budget.affords(MIB); hedges += 1) budget.spend(MIB);
  equal(hedges, 8);
});
