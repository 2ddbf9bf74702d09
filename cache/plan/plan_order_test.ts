import { deepEqual, equal } from "node:assert/strict";
import { withSeed } from "../../tests/support/seeded_random.ts";
import { PlanOrder, type PlanRead } from "./plan_order.ts";

function whole(...files: readonly number[]): PlanRead[] {
  return files.map((file) => ({ file, offset: 0, length: Infinity }));
}

Deno.test("a file is used next and last where the lists say", () => {
  const order = new PlanOrder();
  order.append(whole(7, 8, 7, 9), 1);
  order.append(whole(9, 7), 1);
  equal(order.end, 6);
  deepEqual([0, 1, 3, 5, 6].map((from) => order.nextUse(7, from)), [0, 2, 5, 5, Infinity]);
  deepEqual([0, 1, 3, 6].map((before) => order.lastUse(7, before)), [-Infinity, 0, 2, 5]);
  equal(order.nextUse(8, 2), Infinity);
  equal(order.nextUse(1, 0), Infinity);
});

Deno.test("a list that is read several times is kept once", () => {
  const order = new PlanOrder();
  order.append(whole(1, 2, 3), 1_000_000);
  equal(order.length, 3);
  equal(order.end, 3_000_000);
  equal(order.nextUse(2, 2), 4);
  equal(order.nextUse(1, 2_999_998), Infinity);
  equal(order.lastUse(3, 5), 2);
  equal(order.at(2_999_999)?.file, 3);
  equal(order.at(3_000_000), null);
});

Deno.test("a read of a range keeps it", () => {
  const order = new PlanOrder();
  order.append([{ file: 4, offset: 100, length: 50 }, ...whole(5)], 1);
  deepEqual(order.at(0), { file: 4, offset: 100, length: 50 });
  deepEqual(order.at(1), { file: 5, offset: 0, length: Infinity });
});

Deno.test("what lies behind is forgotten, and positions stay", () => {
  const order = new PlanOrder();
  order.append(whole(1, 2), 1);
  order.append(whole(2, 1), 1);
  order.dropBefore(1);
  equal(order.length, 4);
  order.dropBefore(2);
  equal(order.length, 2);
  equal(order.at(1), null);
  equal(order.at(2)?.file, 2);
  equal(order.nextUse(1, 0), 3);
});

Deno.test("next and last uses are those of the reads written out", async () => {
  await withSeed(1, (random) => {
    for (let round = 0; round < 50; round += 1) {
      const order = new PlanOrder();
      const written: number[] = [];
      for (let list = random.below(4); list >= 0; list -= 1) {
        const files = Array.from({ length: 1 + random.below(6) }, () => random.below(5));
        const times = 1 + random.below(3);
        order.append(whole(...files), times);
        for (let time = 0; time < times; time += 1) written.push(...files);
      }
      for (let position = 0; position <= written.length; position += 1) {
        for (let file = 0; file < 6; file += 1) {
          const next = written.indexOf(file, position);
          equal(order.nextUse(file, position), next < 0 ? Infinity : next);
          const last = position === 0 ? -1 : written.lastIndexOf(file, position - 1);
          equal(order.lastUse(file, position), last < 0 ? -Infinity : last);
        }
        equal(order.at(position)?.file, written[position]);
      }
    }
  });
});
