import { equal } from "node:assert/strict";
import { parseMountPath } from "./backend_config.ts";

Deno.test("parseMountPath trims slashes and refuses what is no path below a directory", () => {
  equal(parseMountPath("/train/a/"), "train/a");
  equal(parseMountPath("train"), "train");
  equal(parseMountPath("/"), null);
  equal(parseMountPath("a//b"), null);
  equal(parseMountPath("../a"), null);
  equal(parseMountPath("a/."), null);
  equal(parseMountPath("é".repeat(127)), "é".repeat(127));
  equal(parseMountPath("é".repeat(128)), null);
});
