import { deepEqual, equal } from "node:assert/strict";
import { median, summarize } from "./statistics.ts";

Deno.test("the median is the middle one, whatever the order", () => {
  equal(median([3, 1, 2]), 2);
  equal(median([10]), 10);
});

Deno.test("the median of an even number is between the middle two", () => {
  equal(median([4, 1, 2, 3]), 2.5);
});

Deno.test("the median sorts numbers, not their digits", () => {
  equal(median([9, 10, 100]), 10);
});

Deno.test("the median of nothing is no number", () => {
  equal(median([]), NaN);
});

Deno.test("one outlier moves the range and not the median", () => {
  deepEqual(summarize([1, 1, 1, 1, 100]), { median: 1, min: 1, max: 100 });
});
