import { equal } from "node:assert/strict";
import { RecentPauses } from "./recent_pauses.ts";

function noted(count: number, pauseMs: (read: number) => number): RecentPauses {
  const pauses = new RecentPauses();
  for (let read = 0; read < count; read += 1) pauses.note(pauseMs(read));
  return pauses;
}

Deno.test("RecentPauses judges nothing before it has seen enough", () => {
  equal(noted(31, () => 100).unusualMs, null);
  equal(noted(32, () => 100).unusualMs, 100);
});

Deno.test("RecentPauses takes the 99th percentile for the bound of the usual", () => {
  equal(noted(256, (read) => 100 + read).unusualMs, 352);
});

Deno.test("RecentPauses is not misled when more than one read in a hundred stalls", () => {
  equal(noted(256, (read) => read % 25 === 0 ? 2_000 : 60).unusualMs, 120);
});

Deno.test("RecentPauses forgets what is long past", () => {
  const pauses = noted(256, () => 1_000);
  for (let read = 0; read < 256; read += 1) pauses.note(100);
  equal(pauses.unusualMs, 100);
});

Deno.test("RecentPauses takes no pause of our own event loop for one of the store", () => {
  equal(noted(256, () => 1).unusualMs, 50);
});
