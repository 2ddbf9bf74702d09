import { deepEqual, equal, ok } from "node:assert/strict";
import { newObject, openIndex } from "../../tests/support/cached_rows.ts";
import type { BlockIndex } from "./block_index.ts";

/** An index that has cached `paths`, in a place of its own. */
async function placeWith(...paths: string[]) {
  const root = await Deno.makeTempDir({ prefix: "warpdrive-children-" });
  const index = openIndex(`${root}/index.sqlite`);
  for (const path of paths) index.insert(newObject(path));
  return {
    index,
    async [Symbol.asyncDispose]() {
      index.close();
      await Deno.remove(root, { recursive: true });
    },
  };
}

function childrenOf(index: BlockIndex, directory: string, limit = 100): string[] {
  const names: string[] = [];
  for (let token: string | null = null;;) {
    const page = index.children("train", directory, token, limit);
    ok(page.entries.length <= limit);
    names.push(...page.entries.map(({ kind, name }) => kind === "directory" ? `${name}/` : name));
    token = page.next;
    if (token === null) return names;
  }
}

Deno.test("children shows what is in a directory, and nothing beside it", async () => {
  await using at = await placeWith(
    "top",
    "d/a",
    "d/s/x",
    "d/s/y/z",
    "d/t",
    "d0",
    "d-",
    "d.x/q",
    "e/f",
  );
  const { index } = at;
  deepEqual(childrenOf(index, ""), ["d-", "d.x/", "d/", "d0", "e/", "top"]);
  deepEqual(childrenOf(index, "d"), ["a", "s/", "t"]);
  deepEqual(childrenOf(index, "d/s"), ["x", "y/"]);
  deepEqual(childrenOf(index, "d/s/y"), ["z"]);
  deepEqual(childrenOf(index, "nowhere"), []);
  deepEqual(childrenOf(index, "d/a"), []);
});

Deno.test("children shows the latest version of an object, as a listing would", async () => {
  await using at = await placeWith();
  const { index } = at;
  for (const version of ["v1", "v3", "v2"]) index.insert(newObject("d/a", version));
  index.insert({ ...newObject("d/a", "v9"), backend: "other" });
  const { etag, sizeBytes, modified, version } = newObject("d/a", "v2");
  deepEqual(index.children("train", "d", null, 10), {
    entries: [{ kind: "object", name: "a", sizeBytes, modified, version, etag, posix: null }],
    next: null,
    unlistable: 0,
  });
});

Deno.test("children shows a name once that is a file and a directory", async () => {
  await using at = await placeWith("d/a", "d/a-b", "d/a/c");
  const { index } = at;
  deepEqual(childrenOf(index, "d"), ["a/", "a-b"]);
});

Deno.test("children comes in pages that fit together", async () => {
  const paths = Array.from({ length: 50 }, (_, number) => {
    const name = String(number).padStart(2, "0");
    return number % 3 === 0 ? [`d/${name}/x`, `d/${name}/y/z`] : [`d/${name}`];
  });
  await using at = await placeWith(...paths.flat());
  const { index } = at;
  const all = childrenOf(index, "d");
  equal(all.length, 50);
  for (const limit of [1, 2, 7, 49, 50]) deepEqual(childrenOf(index, "d", limit), all);
});

Deno.test("children asks little of a directory that has much below one name", async () => {
  const paths = Array.from({ length: 2_000 }, (_, number) => `d/s/${number}`);
  await using at = await placeWith(...paths, "d/z", "é/\u{1F600}", "é/\u{10FFFD}/x");
  const { index } = at;
  deepEqual(childrenOf(index, "d"), ["s/", "z"]);
  deepEqual(childrenOf(index, ""), ["d/", "é/"]);
  deepEqual(childrenOf(index, "é"), ["\u{1F600}", "\u{10FFFD}/"]);
});
