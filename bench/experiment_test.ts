import { deepEqual, rejects } from "node:assert/strict";
import { runExperiment } from "./experiment.ts";

Deno.test("rounds are interleaved, and each begins with another contender", async () => {
  const order: string[] = [];
  const contender = (name: string, value: number) => ({
    name,
    measure: () => {
      order.push(name);
      return Promise.resolve(value);
    },
  });
  const outcome = await runExperiment(
    { id: "x", title: "X", unit: "s", contenders: [contender("a", 1), contender("b", 2)] },
    3,
    new AbortController().signal,
  );
  deepEqual(order, ["a", "b", "b", "a", "a", "b"]);
  deepEqual(outcome.scores.map(({ median }) => median), [1, 2]);
  deepEqual(outcome.scores[0]?.values, [1, 1, 1]);
});

Deno.test("an experiment stops when its signal aborts", async () => {
  const reason = new Error("Enough");
  const contenders = [{ name: "a", measure: () => Promise.resolve(1) }];
  const experiment = { id: "x", title: "X", unit: "s" as const, contenders };
  await rejects(runExperiment(experiment, 1, AbortSignal.abort(reason)), reason);
});
