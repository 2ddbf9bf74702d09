import { deepEqual, equal } from "node:assert/strict";
import { withSeed } from "../../tests/support/seeded_random.ts";
import { NO_ROW, RowLists } from "./row_lists.ts";

/** Empties `list`. */
function drained(lists: RowLists, list: number): number[] {
  const rows: number[] = [];
  for (let row = lists.first(list); row !== NO_ROW; row = lists.first(list)) {
    rows.push(row);
    lists.unlink(row);
  }
  return rows;
}

Deno.test("RowLists does what arrays do", async () => {
  await withSeed(1, (random) => {
    const lists = new RowLists(3);
    const arrays: number[][] = [[], [], []];
    let rows = 0;
    for (let i = 0; i < 5_000; i += 1) {
      if (i % 500 === 0) lists.reserve(rows += 40);
      const row = random.below(rows);
      const [list, other] = [random.below(3), random.below(3)];
      lists.unlink(row);
      for (const array of arrays) if (array.includes(row)) array.splice(array.indexOf(row), 1);
      if (random.below(10) === 0 && list !== other) {
        lists.moveAll(other, list);
        arrays[list]?.push(...arrays[other]?.splice(0) ?? []);
      } else if (random.below(2) === 0) {
        lists.append(list, row);
        arrays[list]?.push(row);
      } else {
        lists.prepend(list, row);
        arrays[list]?.unshift(row);
      }
    }
    deepEqual([0, 1, 2].map((list) => drained(lists, list)), arrays);
  });
});

Deno.test("RowLists unlinks a row that is in no list", () => {
  const lists = new RowLists(1);
  lists.reserve(2);
  lists.append(0, 0);
  lists.unlink(1);
  equal(lists.first(0), 0);
});
