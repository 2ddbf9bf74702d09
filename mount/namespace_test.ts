import assert from "node:assert/strict";
import { buildNamespace } from "./namespace.ts";

Deno.test("buildNamespace mounts backends at any depth, one inside another", () => {
  const root = buildNamespace([{ mountPath: "a" }, { mountPath: "a/b/c" }, { mountPath: "d/e" }]);
  assert.equal(root.volume, null);
  assert.deepEqual([...root.children.keys()], ["a", "d"]);
  const a = root.children.get("a");
  assert.equal(a?.volume?.mountPath, "a");
  assert.equal(a?.children.get("b")?.volume, null);
  assert.equal(a?.children.get("b")?.children.get("c")?.volume?.mountPath, "a/b/c");
  assert.equal(root.children.get("d")?.children.get("e")?.volume?.mountPath, "d/e");
});

Deno.test("buildNamespace mounts a backend at the mount point itself", () => {
  assert.equal(buildNamespace([{ mountPath: "" }]).volume?.mountPath, "");
});
