import { deepEqual } from "node:assert/strict";
import { add, tallyOf } from "./tally.ts";

Deno.test("tallyOf reads the summary of a good run", () => {
  const output = "a ... ok (1ms)\n\nok | 12 passed (3 steps) | 0 failed | 2 ignored (1s)\n";
  deepEqual(tallyOf(output, true), { passed: 12, failed: 0, ignored: 2 });
});

Deno.test("tallyOf reads the summary of a bad run", () => {
  const output = "FAILED | 3 passed | 2 failed (1 step) (1s)\n\nerror: Test failed\n";
  deepEqual(tallyOf(output, false), { passed: 3, failed: 2, ignored: 0 });
});

Deno.test("tallyOf counts a crash without summary as one failure", () => {
  deepEqual(tallyOf("a ... Segmentation fault\n", false), { passed: 0, failed: 1, ignored: 0 });
});

Deno.test("tallyOf counts a failure outside the tests as one failure", () => {
  const output = "ok | 3 passed | 0 failed (1s)\n\nerror: Uncaught error\n";
  deepEqual(tallyOf(output, false), { passed: 3, failed: 1, ignored: 0 });
});

Deno.test("tallyOf believes the last summary, since tests may print one too", () => {
  const output = "ok | 99 passed | 0 failed (1s)\nok | 1 passed | 0 failed (2s)\n";
  deepEqual(tallyOf(output, true), { passed: 1, failed: 0, ignored: 0 });
});

Deno.test("add sums field by field", () => {
  const sum = add({ passed: 1, failed: 2, ignored: 3 }, { passed: 10, failed: 20, ignored: 30 });
  deepEqual(sum, { passed: 11, failed: 22, ignored: 33 });
});
