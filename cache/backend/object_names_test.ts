import { equal, throws } from "node:assert/strict";
import { isReachable, keyBelow, requireReachable } from "./object_names.ts";

Deno.test("a path is reachable when a file system could show each of its names", () => {
  for (const path of ["", "a", "a/b c", "日本語"]) equal(isReachable(path), true, path);
  for (const path of ["a//b", "/a", "a/", "a/../b", ".", "x".repeat(256), "\udc80"]) {
    equal(isReachable(path), false, path);
  }
});

Deno.test("a new object needs a name that can be reached", () => {
  requireReachable("store", "put", "a/b");
  for (const path of ["", "a//b"]) {
    throws(() => requireReachable("store", "put", path), /Cannot put .*valid Unicode/);
  }
});

Deno.test("a key is the path below the prefix of the backend", () => {
  equal(keyBelow("", "a/b"), "a/b");
  equal(keyBelow("some/prefix", "a"), "some/prefix/a");
  equal(keyBelow("some/prefix", ""), "some/prefix");
});
