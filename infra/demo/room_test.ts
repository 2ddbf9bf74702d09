import { equal, match } from "node:assert/strict";
import { parseOptions } from "./options.ts";
import { lackOfRoom } from "./room.ts";

const GIB = 2 ** 30;

function scale(...args: string[]) {
  const options = parseOptions(args);
  if (options.kind !== "play") throw new Error("Not played");
  return options.scale;
}

function disk(freeBytes: number, totalBytes: number) {
  return { freeBytes, totalBytes, freeInodes: Infinity, totalInodes: Infinity };
}

Deno.test("the demo says how much room it lacks, and where else it could run", () => {
  const lack = lackOfRoom(scale(), "/scratch", disk(GIB / 4, 20 * GIB));
  match(lack ?? "", /^\/scratch has 256 MiB free, and the demo needs 1\.8 GiB .* TMPDIR$/);
});

Deno.test("the demo wants the share of a large disk that a cache leaves free", () => {
  match(lackOfRoom(scale(), "/scratch", disk(20 * GIB, 2_000 * GIB)) ?? "", /needs 101 GiB/);
});

Deno.test("the demo needs less when it is quick", () => {
  const little = disk(1.5 * GIB, 20 * GIB);
  match(lackOfRoom(scale(), "/scratch", little) ?? "", /needs/);
  equal(lackOfRoom(scale("--quick"), "/scratch", little), null);
});

Deno.test("the demo says when there is no room for more files", () => {
  const full = { ...disk(9 * GIB, 20 * GIB), totalInodes: 10_000, freeInodes: 600 };
  match(lackOfRoom(scale(), "/scratch", full) ?? "", /room for 600 more files, .* needs 1500 /);
});
