import { deepEqual } from "node:assert/strict";
import { foldTables } from "./fold.ts";

const STATS = [
  "PERIOD  BACKEND  ENTRIES  HIT RATE  MOUNT PATH",
  "start   cac           10     82.6%  -",
  "start   wus3           9      7.7%  here below",
];

Deno.test("what fits is shown as it is", () => {
  deepEqual(foldTables(STATS, 46), STATS);
  deepEqual(foldTables([], 46), []);
});

Deno.test("a table that is too wide goes on below, behind the columns that name its rows", () => {
  deepEqual(foldTables(STATS, 45), [
    "PERIOD  BACKEND  ENTRIES  HIT RATE",
    "start   cac           10     82.6%",
    "start   wus3           9      7.7%",
    "",
    "PERIOD  BACKEND  MOUNT PATH",
    "start   cac      -",
    "start   wus3     here below",
  ]);
});

Deno.test("every column is shown, however narrow the screen", () => {
  const words = (lines: readonly string[]) => new Set(lines.flatMap((line) => line.split(/ {2,}/)));
  deepEqual(words(foldTables(STATS, 1)), new Set(["", ...words(STATS)]));
});

Deno.test("only the table that is too wide is folded, below its title", () => {
  const record = ["Mount", "MOUNT POINT  /wd", "USER ID      0"];
  const titled = ["Backends", "NAME  TYPE       REASON", "a     azureblob  -"];
  deepEqual(foldTables([...record, "", ...titled], 20), [
    ...record,
    "",
    ...["Backends", "NAME  TYPE", "a     azureblob", "", "NAME  REASON", "a     -"],
  ]);
});

Deno.test("a long line that is no table stays whole", () => {
  const line = "what a program says in one long sentence";
  deepEqual(foldTables([line], 20), [line]);
});
