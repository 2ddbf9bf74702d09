import assert from "node:assert/strict";
import { ticksOf } from "./ticks.ts";

function shown(low: number, high: number, count = 5): string[] {
  const { values, digits } = ticksOf(low, high, count);
  return values.map((value) => value.toFixed(digits));
}

Deno.test("ticksOf takes round steps that enclose what is shown", () => {
  assert.deepEqual(shown(0, 1_403), ["0", "500", "1000", "1500"]);
  assert.deepEqual(shown(2.21, 2.31), ["2.20", "2.22", "2.24", "2.26", "2.28", "2.30", "2.32"]);
  assert.deepEqual(shown(0, 0.00035), ["0.0000", "0.0001", "0.0002", "0.0003", "0.0004"]);
});

Deno.test("ticksOf gives a level curve an axis, too", () => {
  for (const level of [0, 7, 2.3026, 1e6]) {
    const { low, high, values } = ticksOf(level, level, 5);
    assert.ok(low <= level && level <= high && low < high, `${level}: ${values}`);
    assert.ok(values.length <= 8);
  }
});
