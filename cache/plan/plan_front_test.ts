import { deepEqual, equal } from "node:assert/strict";
import { PlanFront } from "./plan_front.ts";
import { PlanOrder } from "./plan_order.ts";

const REACH = 10;

/** The front of a plan that reads files 0 to `count` - 1 in order, `times` times over. */
function frontOf(count: number, times = 1): PlanFront {
  const order = new PlanOrder();
  const reads = Array.from({ length: count }, (_, file) => ({ file, offset: 0, length: Infinity }));
  order.append(reads, times);
  return new PlanFront(order);
}

Deno.test("opens in any order within the reach move the front", () => {
  const front = frontOf(100);
  deepEqual(front.opened(2, REACH), [2]);
  deepEqual([front.position, front.high], [0, 3]);
  deepEqual(front.opened(0, REACH), [0]);
  deepEqual([front.position, front.high], [1, 3]);
  deepEqual(front.opened(1, REACH), [1]);
  deepEqual([front.position, front.high], [3, 3]);
});

Deno.test("a file that is opened once more is not read once more", () => {
  const front = frontOf(20, 3);
  front.opened(0, 100);
  deepEqual(front.opened(0, 100), []);
  equal(front.high, 1);
  for (let file = 1; file < 20; file += 1) front.opened(file, 100);
  deepEqual(front.opened(19, 100), []);
  deepEqual(front.opened(0, 100), [20]);
  equal(front.nextUse(0), 40);
});

Deno.test("what lies further behind than the reach was left out", () => {
  const front = frontOf(100);
  for (let file = 1; file < REACH + 1; file += 1) front.opened(file, REACH);
  equal(front.position, REACH + 1);
  equal(front.skipped, 1);
  deepEqual(front.opened(0, REACH), []);
});

Deno.test("one open far ahead is a stray, four together are a jump", () => {
  const front = frontOf(100);
  deepEqual(front.opened(50, REACH), []);
  for (const file of [70, 71, 73]) deepEqual(front.opened(file, REACH), []);
  deepEqual([front.position, front.high], [0, 0]);
  front.opened(72, REACH);
  deepEqual([front.position, front.high, front.strays], [63, 73, 5]);
});

Deno.test("a report moves the front anywhere, also back", () => {
  const front = frontOf(100);
  deepEqual(front.reported(3), { first: 0, end: 3 });
  deepEqual([front.position, front.high], [3, 3]);
  deepEqual(front.reported(1), { first: 1, end: 3 });
  equal(front.nextUse(1), 1);
  equal(front.nextUse(0), Infinity);
});
