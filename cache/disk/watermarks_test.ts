import { deepEqual, equal } from "node:assert/strict";
import { excessBytes } from "./watermarks.ts";

const MARKS = { highWater: 0.9, lowWater: 0.8 };

Deno.test("eviction begins above the high water mark and ends at the low one", () => {
  let used = 6_400;
  let isEvicting = false;
  const taken: number[] = [];
  for (;;) {
    const bytes = excessBytes(used, 6_400, MARKS, isEvicting);
    isEvicting = bytes > 0;
    if (bytes === 0) break;
    taken.push(bytes);
    used -= bytes;
  }
  equal(used, 5_120);
  deepEqual([taken.length, Math.max(...taken)], [13, 100]);
  equal(excessBytes(5_700, 6_400, MARKS, false), 0);
  equal(excessBytes(5_761, 6_400, MARKS, false), 100);
  equal(excessBytes(5_130, 6_400, MARKS, true), 10);
});
