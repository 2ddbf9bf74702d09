import { equal, throws } from "node:assert/strict";
import { readSettings } from "./settings.ts";

Deno.test("a soak takes ten minutes unless told otherwise", () => {
  equal(readSettings([], 1).durationMs, 600_000);
  equal(readSettings(["--hours", "48"], 1).durationMs, 48 * 3_600_000);
  equal(readSettings(["--hours", "1", "--minutes", "30"], 1).durationMs, 90 * 60_000);
  equal(readSettings(["--minutes", "0.5", "--seed", "7"], 1).seed, 7);
  equal(readSettings([], 3).seed, 3);
});

Deno.test("a soak says what it cannot read", () => {
  throws(() => readSettings(["--hours", "many"], 1), /Read --hours "many": wanted a number/);
  throws(() => readSettings(["--minutes", "0"], 1), /Read --minutes "0": wanted more than 0/);
  throws(() => readSettings(["--load", "odd"], 1), /Read --load "odd": wanted low, medium, high/);
  throws(() => readSettings(["--speed", "1"], 1), /speed/);
});
