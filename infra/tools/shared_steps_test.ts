import { equal } from "node:assert/strict";
import { SharedSteps } from "./shared_steps.ts";
import type { Step } from "./suites.ts";

const BUILD: Step = { title: "build", args: ["build"], required: true };

Deno.test("a step that several suites need is run and counted once", async () => {
  const steps = new SharedSteps();
  let runs = 0;
  const run = () => Promise.resolve(++runs === 1);
  equal(await steps.run(BUILD, run), "ok");
  equal(await steps.run(BUILD, run), "done before");
  equal(await steps.run({ ...BUILD, args: ["other"] }, run), "failed");
  equal(runs, 2);
});

Deno.test("a step that failed is run again for the next suite that needs it", async () => {
  const steps = new SharedSteps();
  let runs = 0;
  const run = () => Promise.resolve(++runs === 2);
  equal(await steps.run(BUILD, run), "failed");
  equal(await steps.run(BUILD, run), "ok");
});
