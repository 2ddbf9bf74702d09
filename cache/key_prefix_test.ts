import { equal } from "node:assert/strict";
import { parsePrefix } from "./key_prefix.ts";

Deno.test("parsePrefix trims slashes and refuses names no directory can have", () => {
  equal(parsePrefix("/train/v2/"), "train/v2");
  equal(parsePrefix(""), "");
  equal(parsePrefix("/"), "");
  equal(parsePrefix("a//b"), null);
  equal(parsePrefix("a/../b"), null);
  equal(parsePrefix("./a"), null);
});
