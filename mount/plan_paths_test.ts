import { deepEqual, equal } from "node:assert/strict";
import { buildNamespace } from "./namespace.ts";
import { locate } from "./plan_paths.ts";

const TREE = {
  mountPoint: "/mnt/wd",
  space: buildNamespace([
    { name: "top", mountPath: "" },
    { name: "azure", mountPath: "azure" },
    { name: "inner", mountPath: "azure/sets/inner" },
  ]),
};

function at(path: string): unknown {
  const located = locate(path, TREE);
  return located.kind === "located" ? [located.at.backend, located.at.path] : located.reason;
}

Deno.test("the longest mount path decides the backend", () => {
  deepEqual(at("/mnt/wd/azure/train/a.tar"), ["azure", "train/a.tar"]);
  deepEqual(at("/mnt/wd/azure/sets/b.tar"), ["azure", "sets/b.tar"]);
  deepEqual(at("/mnt/wd/azure/sets/inner/c.tar"), ["inner", "c.tar"]);
  deepEqual(at("/mnt/wd/d.tar"), ["top", "d.tar"]);
});

Deno.test("a path may be relative to the mount, and carry dots and slashes to no effect", () => {
  deepEqual(at("azure/./train//a.tar"), ["azure", "train/a.tar"]);
  deepEqual(at("./azure/train/a.tar"), ["azure", "train/a.tar"]);
});

Deno.test("what cannot be a file of the mount is said with the reason", () => {
  equal(at("/mnt/wdx/a.tar"), 'it is not below "/mnt/wd"');
  equal(at("/etc/passwd"), 'it is not below "/mnt/wd"');
  equal(at("azure/../azure/a.tar"), '".." is not followed');
  equal(at("azure/sets"), "it is a directory");
  equal(at("/mnt/wd/"), "it is a directory");
  equal(at("a\0b"), "it is no path");
  equal(at("x".repeat(5_000)), "it is no path");
});

Deno.test("a name beside the backends of a mount without a root backend is nowhere", () => {
  const space = buildNamespace([{ name: "azure", mountPath: "azure" }]);
  const located = locate("other/a.tar", { mountPoint: "/mnt/wd", space });
  deepEqual(located, { kind: "unresolved", reason: "no backend is mounted there" });
});
