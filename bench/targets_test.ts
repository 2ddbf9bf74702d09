import { equal } from "node:assert/strict";
import type { Outcome } from "./experiment.ts";
import { summarize } from "./statistics.ts";
import { judge, type Target } from "./targets.ts";

function outcome(scores: Readonly<Record<string, number>>): Outcome {
  return {
    id: "e",
    title: "E",
    unit: "GB/s",
    scores: Object.entries(scores).map(([name, value]) => ({
      name,
      values: [value],
      ...summarize([value]),
    })),
  };
}

function target(demand: Target["demand"]): Target {
  return { text: "t", experiment: "e", contender: "us", demand };
}

Deno.test("a ratio counts against the best of the contenders it names", () => {
  const demand = { kind: "ratio at least", of: ["slow", "fast"], limit: 3 } as const;
  equal(judge(target(demand), [outcome({ us: 3, slow: 0.5, fast: 1 })]).verdict, "reached");
  equal(judge(target(demand), [outcome({ us: 3, slow: 1, fast: 1.01 })]).verdict, "missed");
});

Deno.test("for a time, the best contender is the quickest", () => {
  const demand = { kind: "ratio at most", of: ["slow", "fast"], limit: 0.5 } as const;
  const verdict = judge(target(demand), [outcome({ us: 1, slow: 10, fast: 1.5 })]);
  equal(verdict.verdict, "missed");
  equal(verdict.reached, 1 / 1.5);
});

Deno.test("what was not run is neither reached nor missed", () => {
  const demand = { kind: "ratio at least", of: ["peer"], limit: 3 } as const;
  equal(judge(target(demand), []).verdict, "not measured");
  equal(judge(target(demand), [outcome({ us: 3 })]).verdict, "not measured");
  equal(judge(target({ kind: "less than", limit: 5 }), [outcome({ us: 3 })]).verdict, "reached");
});
