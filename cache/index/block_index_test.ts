import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { newObject, openIndex, wholeBlocks } from "../../tests/support/cached_rows.ts";
import { cannotMount, smallDisk } from "../../tests/support/test_disk.ts";
import { firstId } from "./block_index.ts";
import type { CachedRow } from "./rows.ts";

const NAME = { backend: "train", path: "a/b.tar", version: "v1" };

async function place() {
  const root = await Deno.makeTempDir({ prefix: "warpdrive-index-" });
  return {
    root,
    path: `${root}/index.sqlite`,
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

Deno.test("BlockIndex finds what was inserted, by its exact name and version", async () => {
  await using at = await place();
  const index = openIndex(at.path);
  const object = newObject("a/b.tar");
  const id = index.insert(object);
  deepEqual(index.find(NAME), { ...object, id, cachedBytes: 0 });
  for (const other of [{ backend: "x" }, { path: "a/b" }, { version: "v2" }]) {
    equal(index.find({ ...NAME, ...other }), null);
  }
  const plain = { ...newObject("é\u{1F600}", ""), etag: null, pinned: true };
  const second = index.insert(plain);
  deepEqual(index.find(plain), { ...plain, id: second, cachedBytes: 0 });
  index.close();
});

Deno.test("BlockIndex knows everything again after it was closed", async () => {
  await using at = await place();
  const first = openIndex(at.path);
  const id = first.insert(newObject("a/b.tar"));
  first.commit([wholeBlocks(id, 3, 7)]);
  first.close();
  const second = openIndex(at.path);
  equal(second.find(NAME)?.cachedBytes, 12 * 2 ** 20);
  deepEqual(second.blocksOf(id), wholeBlocks(id, 3, 7).blocks);
  deepEqual(second.totals(), { objects: 1, cachedBytes: 12 * 2 ** 20 });
  second.close();
});

Deno.test("BlockIndex keeps of each block what was committed last", async () => {
  await using at = await place();
  const index = openIndex(at.path);
  const id = index.insert(newObject("a/b.tar"));
  index.commit([wholeBlocks(id, 3, 7)]);
  const [block] = wholeBlocks(id, 1, 9).blocks;
  ok(block !== undefined);
  const changed = [{ ...block, row: 1, present: 5 }, { ...block, row: 2, present: 0 }];
  index.commit([{ id, blocks: changed, cachedBytes: 5, lastAccessMs: 3_000 }]);
  deepEqual(index.blocksOf(id).map(({ row, present, crcs }) => [row, present, crcs[0]]), [
    [0, 0xffffffff, 7],
    [1, 5, 9],
  ]);
  deepEqual(
    [index.find(NAME)?.cachedBytes, index.find(NAME)?.lastAccessMs],
    [5, 3_000],
  );
  index.close();
});

Deno.test("BlockIndex gives no id twice, and ignores what comes for one that is gone", async () => {
  await using at = await place();
  const index = openIndex(at.path);
  const first = index.insert(newObject("a/b.tar"));
  index.remove([first]);
  index.commit([wholeBlocks(first, 2, 7)]);
  deepEqual(index.blocksOf(first), []);
  deepEqual(index.totals(), { objects: 0, cachedBytes: 0 });
  const second = index.insert(newObject("a/b.tar"));
  ok(second > first);
  // The same version again: the row before it is replaced, with its blocks.
  index.commit([wholeBlocks(second, 2, 7)]);
  const third = index.insert(newObject("a/b.tar"));
  ok(third > second);
  deepEqual([index.blocksOf(second), index.totals().objects], [[], 1]);
  deepEqual(index.withoutRow([first, second, third]), [first, second]);
  index.close();
});

Deno.test("BlockIndex begins its ids after those of every process before it", () => {
  const [start, later] = [firstId(1_700_000_000_000), firstId(1_700_000_001_000)];
  equal(later - start, 1_000 * 2 ** 10);
  ok(Number.isSafeInteger(firstId(Date.parse("2200-01-01"))));
});

Deno.test("BlockIndex forgets objects of which nothing was committed before a crash", async () => {
  await using at = await place();
  const first = openIndex(at.path);
  first.insert(newObject("never/written"));
  first.commit([wholeBlocks(first.insert(newObject("a/b.tar")), 1, 7)]);
  first.close();
  const second = openIndex(at.path);
  equal(second.find({ ...NAME, path: "never/written" }), null);
  ok(second.find(NAME) !== null);
  equal(second.totals().objects, 1);
  second.close();
});

Deno.test("BlockIndex lists the versions of a path, the latest first", async () => {
  await using at = await place();
  const index = openIndex(at.path);
  for (const version of ["v1", "v2", "v3"]) index.insert(newObject("a/b.tar", version));
  index.insert(newObject("a/b.tar2"));
  deepEqual(index.versionsOf("train", "a/b.tar").map(({ version }) => version), ["v3", "v2", "v1"]);
  index.close();
});

Deno.test("BlockIndex goes through all objects by last access, a page at a time", async () => {
  await using at = await place();
  const index = openIndex(at.path);
  const ages = [5, 1, 4, 1, 3, 1, 2];
  ages.forEach((age, number) => index.insert(newObject(`file${number}`, "v", age)));
  const seen: string[] = [];
  for (let last: CachedRow | null = null;;) {
    const page: CachedRow[] = index.rows(last, 2);
    seen.push(...page.map(({ path }) => path));
    last = page.at(-1) ?? null;
    if (last === null) break;
  }
  deepEqual(seen, ["file1", "file3", "file5", "file6", "file4", "file2", "file0"]);
  index.close();
});

Deno.test("BlockIndex knows what each user brought in from each backend", async () => {
  await using at = await place();
  const index = openIndex(at.path);
  const ids = [
    index.insert(newObject("a")),
    index.insert(newObject("b")),
    index.insert({ ...newObject("c"), uid: 2 }),
    index.insert({ ...newObject("d"), backend: "eval" }),
  ];
  index.commit(ids.map((id) => wholeBlocks(id, 2, 1)));
  index.remove(ids.slice(1, 2));
  const cachedBytes = 8 * 2 ** 20;
  deepEqual(index.usage(), [
    { backend: "eval", uid: 1_000, objects: 1, cachedBytes },
    { backend: "train", uid: 2, objects: 1, cachedBytes },
    { backend: "train", uid: 1_000, objects: 1, cachedBytes },
  ]);
  index.remove(ids);
  deepEqual(index.usage(), []);
  index.close();
});

Deno.test("BlockIndex keeps pins", async () => {
  await using at = await place();
  const index = openIndex(at.path);
  const id = index.insert(newObject("a/b.tar"));
  index.setPinned([id], true);
  equal(index.find(NAME)?.pinned, true);
  index.setPinned([id], false);
  equal(index.find(NAME)?.pinned, false);
  index.close();
});

Deno.test("BlockIndex takes no name for another that SQLite would write the same", async () => {
  await using at = await place();
  const index = openIndex(at.path);
  index.insert(newObject("\ufffd"));
  index.insert(newObject("a"));
  equal(index.find({ ...NAME, path: "\udc80" }), null);
  equal(index.find({ ...NAME, path: "a\0b" }), null);
  deepEqual(index.versionsOf("train", "\udc80"), []);
  deepEqual(index.children("train", "\udc80", null, 10).entries, []);
  equal(index.listing("train", "\udc80"), null);
  throws(() => index.insert(newObject("\udc80")), { name: "AssertionError" });
  index.close();
});

Deno.test("BlockIndex says that its disk is full, keeps what it had, and goes on with room", {
  ignore: cannotMount,
}, async () => {
  await using disk = await smallDisk(4 * 2 ** 20);
  const index = openIndex(`${disk.path}/index.sqlite`);
  const id = index.insert(newObject("a/b.tar"));
  await Deno.writeFile(`${disk.path}/filler`, new Uint8Array(2 ** 20));
  throws(() => {
    for (let number = 0; number < 10_000; number += 1) {
      index.commit([wholeBlocks(id, 100, number)]);
      index.insert(newObject(`other${number}`));
    }
  }, { name: "CacheDiskError", code: "full" });
  const kept = index.blocksOf(id);
  ok(kept.length === 100 && new Set(kept.map(({ crcs }) => crcs[0])).size === 1);
  await Deno.remove(`${disk.path}/filler`);
  index.commit([wholeBlocks(id, 10, 200)]);
  equal(index.blocksOf(id)[0]?.crcs[0], 200);
  index.close();
});
