import { deepEqual } from "node:assert/strict";
import { CostBook } from "./cost_book.ts";

Deno.test("costs are medians over the passes, memory the most of them", () => {
  const costs = new CostBook();
  for (
    const [cpuSeconds, peakMib, originBytes] of [[1, 10, 2e9], [9, 30, 1e9], [2, 20, 1e9]] as const
  ) {
    costs.note("e", "us", { bytes: 1e9, cpuSeconds, peakMib, originBytes });
  }
  costs.note("e", "them", { bytes: 2e9, cpuSeconds: 1, peakMib: null, originBytes: 2e9 });
  deepEqual(costs.lines(), [
    { experiment: "e", contender: "us", cpuSecondsPerGb: 2, peakMib: 30, fetchedRatio: 1 },
    { experiment: "e", contender: "them", cpuSecondsPerGb: 0.5, peakMib: null, fetchedRatio: 1 },
  ]);
});
