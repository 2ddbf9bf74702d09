import { deepEqual } from "node:assert/strict";
import { EXIT } from "../../cache/platform/exit.ts";
import { verdictOf } from "./verdict.ts";

const HOLDS = [true, true, true, true, true, true];
const GONE = { code: 0, wasLeft: false };

Deno.test("the demo ends well when all capabilities were shown and nothing is left", () => {
  deepEqual(verdictOf(HOLDS, GONE, 58_700), {
    code: EXIT.done,
    away: "Unmounted; both regions are stopped, and every file is removed.",
    last: "All 6 capabilities shown, in 58.7 s.",
  });
});

Deno.test("the demo fails when one capability was not shown, wherever it stands", () => {
  for (const failed of HOLDS.keys()) {
    const { code, last } = verdictOf(HOLDS.map((_, index) => index !== failed), GONE, 1_000);
    deepEqual([code, last], [
      EXIT.failed,
      "The demo FAILED: 5 of 6 capabilities shown, in 1.0 s.",
    ]);
  }
});

Deno.test("the demo fails when its mount did not end well, or had to be taken away", () => {
  const awayAfter = (code: number, wasLeft: boolean) => {
    const verdict = verdictOf(HOLDS, { code, wasLeft }, 1_000);
    deepEqual([verdict.code, verdict.last], [
      EXIT.failed,
      "The demo FAILED: 6 of 6 capabilities shown, but the mount did not end well, in 1.0 s.",
    ]);
    return verdict.away;
  };
  deepEqual(awayAfter(1, false), "FAILED: the mount ended with exit code 1, wanted 0.");
  deepEqual(awayAfter(0, true), "FAILED: the mount ended with exit code 0, and was left mounted.");
});

Deno.test("the demo fails when nothing was shown", () => {
  deepEqual(verdictOf([], GONE, 1_000).code, EXIT.failed);
});
