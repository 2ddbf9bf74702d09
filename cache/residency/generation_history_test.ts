import { equal, ok } from "node:assert/strict";
import {
  afterGeneration,
  FORGOTTEN,
  isDead,
  isKnown,
  type Past,
  PASTS,
  RESTORED,
  Uses,
  usesOf,
  wasUsedLast,
  withUses,
  worth,
} from "./generation_history.ts";

/** A past from the generations in which it was used, the oldest first. */
function past(...usedIn: readonly (0 | 1)[]): Past {
  return usedIn.reduce<Past>(
    (before, used) => afterGeneration(withUses(before, used === 1 ? Uses.once : Uses.none), false),
    FORGOTTEN,
  );
}

Deno.test("an object is forgotten after eight generations without a use", () => {
  ok(isKnown(past(1, 0, 0, 0, 0, 0, 0, 0)));
  equal(past(1, 0, 0, 0, 0, 0, 0, 0, 0), FORGOTTEN);
});

Deno.test("the last generation is worth more than any number before it", () => {
  ok(worth(past(1)) > worth(past(1, 1, 1, 1, 1, 1, 1, 1, 0)));
  ok(worth(past(1, 0)) > worth(past(1, 1, 1, 1, 1, 1, 0, 0)));
});

Deno.test("among recent objects the number of generations counts, not which they were", () => {
  ok(worth(past(1, 1, 0, 1)) > worth(past(1, 0, 0, 1)));
  equal(worth(past(1, 0, 0, 1)), worth(past(0, 1, 0, 1)));
});

Deno.test("uses in the current generation are worth nothing yet", () => {
  for (const uses of Object.values(Uses)) {
    equal(worth(withUses(past(1, 1), uses)), worth(past(1, 1)));
  }
});

Deno.test("an object is dead when nothing of its past is left", () => {
  ok(isDead(past(1, 1, 0, 0, 0, 0, 0, 0, 0, 0)));
  ok(!isDead(past(1, 0, 0)));
  ok(!isDead(withUses(FORGOTTEN, Uses.once)));
});

Deno.test("a second use belongs to the next generation when uses are carried over", () => {
  const twice = withUses(FORGOTTEN, Uses.twice);
  equal(usesOf(afterGeneration(twice, true)), Uses.once);
  equal(usesOf(afterGeneration(twice, false)), Uses.none);
  ok(wasUsedLast(afterGeneration(twice, true)));
});

Deno.test("an early use belongs to the next generation only", () => {
  const next = afterGeneration(withUses(FORGOTTEN, Uses.early), true);
  equal(next, withUses(FORGOTTEN, Uses.once));
});

Deno.test("a restored object counts as used in the last generation", () => {
  equal(RESTORED, past(1));
});

Deno.test("a past one generation later is a past", () => {
  for (let before = 0; before < PASTS; before += 1) {
    for (const carries of [true, false]) {
      const after = afterGeneration(before, carries);
      ok(after >= 0 && after < PASTS && usesOf(after) <= Uses.once);
    }
  }
});
