import { deepEqual, equal } from "node:assert/strict";
import { newObject, openIndex, wholeBlocks } from "../../tests/support/cached_rows.ts";
import type { SubtreePosition } from "./subtree.ts";
import { addTally, grouper, type Grouping, type Tally } from "./tally.ts";

const BLOCK = 4 * 2 ** 20;
/** Paths, and who brought them in. */
const OBJECTS = [
  ["a", 1],
  ["a-b/9", 1],
  ["a/1", 1],
  ["a/b/2", 2],
  ["a/b/3", 1],
  ["ab/5", 2],
  ["b/4", 1],
] as const;

/** An index that holds `OBJECTS`, and one object of another backend. */
async function filled() {
  const root = await Deno.makeTempDir({ prefix: "warpdrive-tally-" });
  const index = openIndex(`${root}/index.sqlite`);
  const objects = [
    ...OBJECTS.map(([path, uid]) => ({ ...newObject(path), uid })),
    { ...newObject("a/other"), backend: "other" },
  ];
  objects.forEach((object, number) => {
    const id = index.insert(object);
    index.commit([{ ...wholeBlocks(id, 1, 1), lastAccessMs: 100 + number }]);
  });
  const tallies = (directory: string, grouping: Grouping, limit: number) => {
    const all = new Map<string, Tally>();
    for (let position: SubtreePosition | null = null;;) {
      const page = index.tally("train", directory, grouping, position, limit);
      for (const tally of page.tallies) addTally(all, tally);
      position = page.next;
      if (position !== null) continue;
      return [...all.values()].map(({ group, uid, objects, cachedBytes, lastAccessMs }) => {
        equal(cachedBytes, objects * BLOCK);
        return `${group} of ${uid}: ${objects}, last ${lastAccessMs}`;
      }).sort();
    }
  };
  return {
    tallies,
    async [Symbol.asyncDispose]() {
      index.close();
      await Deno.remove(root, { recursive: true });
    },
  };
}

Deno.test("BlockIndex adds up by directory and user, and knows the last access", async () => {
  await using at = await filled();
  for (const limit of [1, 2, 3, 100]) {
    deepEqual(at.tallies("", { kind: "depth", depth: 0 }, limit), [
      " of 1: 5, last 106",
      " of 2: 2, last 105",
    ]);
    deepEqual(at.tallies("", { kind: "depth", depth: 1 }, limit), [
      " of 1: 1, last 100",
      "a of 1: 2, last 104",
      "a of 2: 1, last 103",
      "a-b of 1: 1, last 101",
      "ab of 2: 1, last 105",
      "b of 1: 1, last 106",
    ]);
  }
});

Deno.test("BlockIndex adds up what is below one directory alone", async () => {
  await using at = await filled();
  deepEqual(at.tallies("a", { kind: "depth", depth: 2 }, 100), [
    "a of 1: 1, last 102",
    "a/b of 1: 1, last 104",
    "a/b of 2: 1, last 103",
  ]);
  deepEqual(at.tallies("nothing", { kind: "depth", depth: 2 }, 100), []);
  deepEqual(at.tallies("\0", { kind: "depth", depth: 2 }, 100), []);
});

Deno.test("BlockIndex adds up by the longest of some paths", async () => {
  await using at = await filled();
  deepEqual(at.tallies("", { kind: "paths", paths: ["a", "a/b", "ab"] }, 2), [
    " of 1: 2, last 106",
    "a of 1: 2, last 102",
    "a/b of 1: 1, last 104",
    "a/b of 2: 1, last 103",
    "ab of 2: 1, last 105",
  ]);
});

Deno.test("a path belongs to the longest path above it, or to none", () => {
  const groupOf = grouper({ kind: "paths", paths: ["a/b", "a"] });
  deepEqual(["a/b/c", "a/b", "a/c", "a", "ab", "b/a"].map(groupOf), [
    "a/b",
    "a/b",
    "a",
    "a",
    "",
    "",
  ]);
});
