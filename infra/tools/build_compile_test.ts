import { throws } from "node:assert/strict";
import { checkSize } from "./build_compile.ts";

Deno.test("checkSize refuses a program of more than 130 MB", () => {
  checkSize(130_000_000);
  throws(() => checkSize(130_100_000), /130\.1 MB, wanted 130\.0 MB at most/);
});
