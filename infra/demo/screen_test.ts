import { deepEqual } from "node:assert/strict";
import { layTable, Screen, wrap } from "./screen.ts";

Deno.test("a paragraph is broken at spaces, never within a word", () => {
  deepEqual(wrap("one two three", 7), ["one two", "three"]);
  deepEqual(wrap("extraordinary", 4), ["extraordinary"]);
});

Deno.test("a table has names to the left and numbers to the right", () => {
  deepEqual(layTable([["file", "bytes"], ["a", "7"]]), ["file  bytes", "a         7"]);
});

Deno.test("Screen numbers its steps", () => {
  const lines: string[] = [];
  const screen = new Screen((line) => lines.push(line));
  screen.step("First");
  screen.step("Second");
  deepEqual(lines, ["", "1. First", "", "2. Second"]);
});
