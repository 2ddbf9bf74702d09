import { equal } from "node:assert/strict";
import { withSeed } from "../../tests/support/seeded_random.ts";
import { NextUseHeap } from "./next_use_heap.ts";
import { NO_ROW } from "../index/row_lists.ts";

Deno.test("NextUseHeap knows the furthest use whatever enters and leaves", async () => {
  await withSeed(1, (random) => {
    const heap = new NextUseHeap();
    const uses = new Map<number, number>();
    for (let i = 0; i < 10_000; i += 1) {
      if (i % 1_000 === 0) heap.reserve(100 + i);
      const row = random.below(100);
      heap.remove(row);
      uses.delete(row);
      heap.plan(row, random.below(1_000));
      if (random.below(3) > 0) {
        heap.add(row);
        uses.set(row, heap.nextUse(row));
      }
      const furthest = heap.furthest();
      if (uses.size === 0) equal(furthest, NO_ROW);
      else equal(uses.get(furthest), Math.max(...uses.values()));
    }
  });
});

Deno.test("NextUseHeap has no plan for a new row", () => {
  const heap = new NextUseHeap();
  heap.reserve(1);
  equal(heap.nextUse(0), Infinity);
});
