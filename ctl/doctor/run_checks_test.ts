import { deepEqual, equal, rejects } from "node:assert/strict";
import { CommandError } from "../../cache/platform/exit.ts";
import { type Finding, good } from "../../cache/platform/finding.ts";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import type { Check } from "./check.ts";
import { type CheckObserver, runChecks } from "./run_checks.ts";

const UNSEEN: CheckObserver = { started: () => {}, ended: () => {} };

function checkOf(name: string, run: Check["run"]): Check {
  return { name, subject: `subject ${name}`, deadlineMs: 5_000, run };
}

function never(): AbortSignal {
  return new AbortController().signal;
}

Deno.test("runChecks runs checks side by side and answers in their order", async () => {
  const second = Promise.withResolvers<void>();
  const checks = [
    checkOf("a", async () => {
      await second.promise;
      return good("a", "after b");
    }),
    checkOf("b", () => {
      second.resolve();
      return Promise.resolve(good("b", "first"));
    }),
  ];
  const diagnoses = await runChecks(checks, new FakeClock(), UNSEEN, never());
  deepEqual(diagnoses.map(({ check, finding }) => [check, finding.detail]), [
    ["a", "after b"],
    ["b", "first"],
  ]);
});

Deno.test("runChecks gives up a check at its deadline, and tells it", async () => {
  const clock = new FakeClock();
  let told = false;
  const hanging = checkOf("a", (signal) => {
    signal.addEventListener("abort", () => {
      told = true;
    });
    return new Promise<Finding>(() => {});
  });
  const running = runChecks([hanging], clock, UNSEEN, never());
  await clock.advance(5_000);
  await clock.advance(2_000);
  const [diagnosis] = await running;
  equal(diagnosis?.finding.state, "fail");
  equal(diagnosis?.finding.detail, "No answer within 5s");
  equal(told, true);
});

Deno.test("runChecks shows what a check rejects with, and its hint", async () => {
  const failing = checkOf("a", () =>
    Promise.reject(
      new CommandError("failed", "Cannot look: no eyes", "Get eyes", { cause: new Error("Dark") }),
    ));
  const [diagnosis] = await runChecks([failing], new FakeClock(), UNSEEN, never());
  deepEqual(diagnosis?.finding, {
    state: "fail",
    subject: "subject a",
    detail: "Cannot look: no eyes: Dark",
    remedy: "Get eyes",
  });
});

Deno.test("runChecks waits for the cleaning up of checks that are interrupted", async () => {
  const controller = new AbortController();
  const cleaned = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  let removed = false;
  const check = checkOf("a", async (signal) => {
    started.resolve();
    try {
      return await new Promise<Finding>((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    } finally {
      await cleaned.promise;
      removed = true;
    }
  });
  const clock = new FakeClock();
  const running = runChecks([check], clock, UNSEEN, controller.signal);
  let ended = false;
  const outcome = rejects(running, /Stopped by hand/).then(() => {
    ended = true;
  });
  await started.promise;
  controller.abort(new Error("Stopped by hand"));
  await clock.settle();
  equal(ended, false);
  cleaned.resolve();
  await outcome;
  equal(removed, true);
});

Deno.test("runChecks tells its observer of each check", async () => {
  const seen: string[] = [];
  const observer: CheckObserver = {
    started: ({ name }) => void seen.push(`${name} started`),
    ended: ({ name }) => void seen.push(`${name} ended`),
  };
  const check = checkOf("a", () => Promise.resolve(good("a", "b")));
  await runChecks([check], new FakeClock(), observer, never());
  deepEqual(seen, ["a started", "a ended"]);
});
