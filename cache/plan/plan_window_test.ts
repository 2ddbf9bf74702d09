import { deepEqual, equal, ok } from "node:assert/strict";
import { PlanWindow } from "./plan_window.ts";

Deno.test("a window takes reads while their bytes fit", () => {
  const window = new PlanWindow(() => 10);
  window.take(6);
  ok(window.hasRoom(4));
  ok(!window.hasRoom(5));
  window.take(4);
  deepEqual([window.cursor, window.bytes, window.length], [2, 10, 2]);
  window.follow(1);
  deepEqual([window.bytes, window.length], [4, 1]);
  ok(window.hasRoom(6));
});

Deno.test("an empty window takes a read of any size, cut to its own", () => {
  const window = new PlanWindow(() => 10);
  ok(window.hasRoom(1_000));
  equal(window.cut(1_000), 10);
});

Deno.test("a front outside the window moves it there", () => {
  const window = new PlanWindow(() => 10);
  for (let read = 0; read < 5; read += 1) window.take(2);
  window.follow(100);
  deepEqual([window.cursor, window.bytes, window.length], [100, 0, 0]);
  window.take(3);
  window.follow(50);
  deepEqual([window.cursor, window.bytes], [50, 0]);
});

Deno.test("a window of small files is bounded by their number, and follows for long", () => {
  const window = new PlanWindow(() => 1e9);
  for (let front = 0; front < 100_000; front += 1) {
    while (window.hasRoom(1)) window.take(1);
    window.follow(front);
  }
  equal(window.length, 8_192 - 1);
  equal(window.bytes, 8_192 - 1);
});
