import { deepEqual, equal, ok } from "node:assert/strict";
import { layTable, Screen, wrap } from "./screen.ts";

function written(styled: boolean, draw: (screen: Screen) => void): string[] {
  const lines: string[] = [];
  draw(new Screen({ write: (line) => lines.push(line), styled }));
  return lines;
}

Deno.test("a paragraph is broken at spaces, never within a word", () => {
  deepEqual(wrap("one two three", 7), ["one two", "three"]);
  deepEqual(wrap("extraordinary", 4), ["extraordinary"]);
});

Deno.test("a table has names to the left and numbers to the right", () => {
  deepEqual(layTable([["file", "bytes"], ["a", "7"]]), ["file  bytes", "a         7"]);
});

Deno.test("Screen numbers its steps", () => {
  const lines = written(false, (screen) => {
    screen.step("First");
    screen.step("Second");
  });
  deepEqual(lines, ["", "1. First", "", "2. Second"]);
});

Deno.test("Screen writes a long command so that it can be pasted", () => {
  const words = ["warpdrive", ...Array.from({ length: 20 }, (_, index) => `--option-${index}`)];
  const lines = written(false, (screen) => screen.command(words.join(" "))).filter(Boolean);
  ok(lines.length > 1 && lines.every((line) => line.length <= 88));
  const pasted = lines.map((line) => line.trim().replace(/ \\$/, "")).join(" ");
  equal(pasted, `$ ${words.join(" ")}`);
});

Deno.test("Screen says what failed in plain text where there are no colours", () => {
  const draw = (screen: Screen) => screen.verdict(false, "Caching", "7 misses");
  deepEqual(written(false, draw), ["   [FAILED] Caching", "          7 misses"]);
  ok(written(true, draw)[0]?.includes("\x1b["));
});
