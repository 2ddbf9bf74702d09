import { equal } from "node:assert/strict";
import { pathContains, pathsOverlap } from "./path_overlap.ts";

Deno.test("pathContains compares whole names", () => {
  equal(pathContains("/mnt", "/mnt/wd"), true);
  equal(pathContains("/mnt", "/mnt"), true);
  equal(pathContains("/mnt/", "/mnt"), true);
  equal(pathContains("/mnt/w", "/mnt/wd"), false);
  equal(pathContains("/mnt/wd", "/mnt"), false);
  equal(pathContains("/", "/anything"), true);
});

Deno.test("pathsOverlap sees through dots and doubled slashes", () => {
  equal(pathsOverlap("/srv/../mnt", "/mnt//wd"), true);
  equal(pathsOverlap("/srv", "/mnt"), false);
});
