import { equal, ok, throws } from "node:assert/strict";
import { withSeed } from "../../tests/support/seeded_random.ts";
import { ObjectRows } from "./object_rows.ts";
import { NO_ROW } from "./row_lists.ts";

Deno.test("ObjectRows finds what a map finds", async () => {
  await withSeed(1, (random) => {
    const rows = new ObjectRows();
    const map = new Map<number, number>();
    for (let i = 0; i < 30_000; i += 1) {
      const key = random.below(6_000) * 2 ** 40 + random.below(2);
      equal(rows.find(key), map.get(key) ?? NO_ROW);
      const known = map.get(key);
      if (known === undefined) map.set(key, rows.add(key));
      else if (random.below(3) === 0) {
        rows.remove(known);
        map.delete(key);
      }
    }
    equal(new Set(map.values()).size, map.size, "Every key has a row of its own");
    for (const [key, row] of map) equal(rows.key(row), key);
    ok(rows.capacity < 4 * map.size + 2_048, "Rows given up are used again");
  });
});

Deno.test("ObjectRows refuses what is no 53-bit hash", () => {
  const rows = new ObjectRows();
  for (const key of [-1, 0.5, 2 ** 53, NaN]) throws(() => rows.add(key), /53-bit hash/);
});
