import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Xoshiro128 } from "../../cache/platform/random.ts";
import { exponential, logarithm } from "./exact_math.ts";

/** Arguments that models meet: scores below the largest one, and probabilities. */
function numbers(count: number, of: (random: Xoshiro128) => number): Float64Array<ArrayBuffer> {
  const random = Xoshiro128.seeded(1, 0);
  return Float64Array.from({ length: count }, () => of(random));
}

const SCORES = numbers(20_000, (random) => -random.fraction() * 2 ** (random.below(14) - 4));
const PROBABILITIES = numbers(
  20_000,
  (random) => (random.fraction() + 1e-9) / 1.1 ** random.below(90),
);

function worstError(
  values: Float64Array,
  own: (x: number) => number,
  other: (x: number) => number,
): number {
  return values.reduce((worst, x) => {
    const expected = other(x);
    // What is smaller than this has fewer bits.
    if (Math.abs(expected) < 1e-300) return worst;
    return Math.max(worst, Math.abs(own(x) - expected) / Math.abs(expected));
  }, 0);
}

Deno.test("exponential and logarithm are right to the last bits", () => {
  assert.ok(worstError(SCORES, exponential, Math.exp) < 4.45e-16);
  assert.ok(worstError(PROBABILITIES, logarithm, Math.log) < 4.45e-16);
});

Deno.test("exponential and logarithm have their exact values at the ends", () => {
  assert.deepEqual([0, -709, -Infinity, -1e-300].map(exponential), [1, 0, 0, 1]);
  assert.ok(exponential(-708) > 0);
  assert.equal(logarithm(1), 0);
  assert.ok(Math.abs(logarithm(5e-324) - Math.log(5e-324)) < 1e-12);
});

Deno.test("exponential and logarithm have the same bits in every runtime", () => {
  const digest = (values: Float64Array<ArrayBuffer>) =>
    createHash("sha256").update(new Uint8Array(values.buffer)).digest("hex").slice(0, 16);
  assert.equal(digest(SCORES.map(exponential)), "d9e8cde22c37445b");
  assert.equal(digest(PROBABILITIES.map(logarithm)), "c9f032774ca17841");
});
