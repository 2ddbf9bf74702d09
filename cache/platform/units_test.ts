import assert from "node:assert/strict";
import { formatBytes, formatDuration, parseBytes, parseDurationMs } from "./units.ts";

const SIZES: readonly (readonly [string, number | null])[] = [
  ["4194304", 4_194_304],
  ["4MB", 4_194_304],
  ["4MiB", 4_194_304],
  ["4 m", 4_194_304],
  ["2TB", 2 * 2 ** 40],
  ["1.5g", 1_610_612_736],
  ["0", 0],
  ["512b", 512],
  ["1PiB", 2 ** 50],
  ["", null],
  ["-1", null],
  ["4 MBit", null],
  ["1e3", null],
  ["MB", null],
  ["9PB", null], // above 2^53
];

for (const [text, bytes] of SIZES) {
  Deno.test(`parseBytes reads "${text}" as ${bytes}`, () => assert.equal(parseBytes(text), bytes));
}

const DURATIONS: readonly (readonly [string, number | null])[] = [
  ["60s", 60_000],
  ["5m", 300_000],
  ["1.5h", 5_400_000],
  ["1d", 86_400_000],
  ["250ms", 250],
  [" 1 s ", 1_000],
  ["0", 0],
  ["5", null],
  ["-1s", null],
  ["s", null],
  ["1M", null],
];

for (const [text, ms] of DURATIONS) {
  Deno.test(`parseDurationMs reads "${text}" as ${ms}`, () => {
    assert.equal(parseDurationMs(text), ms);
  });
}

Deno.test("formatBytes writes binary units with one decimal at most", () => {
  const written = [0, 1023, 1024, 1536, 4 << 20, 150.5 * 2 ** 30, 2 ** 60].map(formatBytes);
  assert.deepEqual(written, [
    "0 B",
    "1023 B",
    "1 KiB",
    "1.5 KiB",
    "4 MiB",
    "151 GiB",
    "1024 PiB",
  ]);
});

Deno.test("formatDuration writes what a person would", () => {
  const written = [0, 250.4, 1_000, 1_500, 120_000, 5_400_000].map(formatDuration);
  assert.deepEqual(written, ["0ms", "250ms", "1s", "1.5s", "2m", "1.5h"]);
});
