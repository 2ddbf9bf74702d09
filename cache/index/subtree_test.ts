import { deepEqual, equal } from "node:assert/strict";
import { newObject, openIndex, wholeBlocks } from "../../tests/support/cached_rows.ts";
import type { SubtreePosition } from "./subtree.ts";
import { ancestor } from "./subtree.ts";

const PATHS = ["a", "a-b", "a/1", "a/b/2", "a/b/3", "a0", "b/4", "ab/5"];

/** An index that holds `PATHS`, one of them in two versions, and one object of another backend. */
async function filled() {
  const root = await Deno.makeTempDir({ prefix: "warpdrive-subtree-" });
  const index = openIndex(`${root}/index.sqlite`);
  const objects = [
    ...PATHS.map((path) => newObject(path)),
    newObject("a/1", "v2"),
    { ...newObject("a/other"), backend: "other" },
  ];
  for (const object of objects) index.commit([wholeBlocks(index.insert(object), 1, 1)]);
  return {
    index,
    async [Symbol.asyncDispose]() {
      index.close();
      await Deno.remove(root, { recursive: true });
    },
  };
}

Deno.test("BlockIndex lists what is below a directory, and not what begins like it", async () => {
  await using at = await filled();
  const names = (path: string, limit: number) => {
    const found: string[] = [];
    for (let position: SubtreePosition | null = null;;) {
      const rows = at.index.below("train", path, position, limit);
      const last = rows.at(-1);
      if (last === undefined) return found;
      found.push(...rows.map(({ path, version }) => `${path} ${version}`));
      position = last;
    }
  };
  for (const limit of [1, 2, 100]) {
    deepEqual(names("a", limit), ["a/1 v1", "a/1 v2", "a/b/2 v1", "a/b/3 v1"]);
    equal(names("", limit).length, PATHS.length + 1);
    deepEqual(names("nothing", limit), []);
    deepEqual(names("\0", limit), []);
  }
});

Deno.test("an object counts for the directories above it", () => {
  deepEqual([0, 1, 2, 3].map((depth) => ancestor("a/b/c", depth)), ["", "a", "a/b", "a/b"]);
  equal(ancestor("c", 5), "");
});
