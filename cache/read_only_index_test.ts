import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { newObject, openIndex, wholeBlocks } from "../tests/support/cached_rows.ts";
import { FORMAT_VERSION } from "./index/schema.ts";
import { ReadOnlyIndex } from "./read_only_index.ts";

const NEVER = new AbortController().signal;
const BLOCK = 4 * 2 ** 20;

async function place() {
  const root = await Deno.makeTempDir({ prefix: "warpdrive-read-" });
  return {
    root,
    path: `${root}/index.sqlite`,
    names: () => [...Deno.readDirSync(root)].map(({ name }) => name).sort(),
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

/** An open index with two objects, one of them read lately. */
function filled(path: string) {
  const index = openIndex(path);
  for (const [name, lastAccessMs] of [["a/old", 1_000], ["a/new", 2_000]] as const) {
    const id = index.insert(newObject(name));
    index.commit([{ ...wholeBlocks(id, 1, 1), lastAccessMs }]);
  }
  index.count([{
    ...{ backend: "train", hits: 3, misses: 1, fetchedBytes: 9, evictedBlocks: 0 },
    ...{ readaheadHitBlocks: 0, readaheadWastedBlocks: 0, corruptions: 0 },
  }]);
  index.putListing("train", "a", { fetchedMs: 77, complete: true, entries: [] });
  index.putListing("train", "b", { fetchedMs: 78, complete: false, entries: [] });
  return index;
}

/** All that can be read. */
async function everything(index: ReadOnlyIndex) {
  const rows = await Array.fromAsync(index.rows(NEVER));
  const [first] = rows;
  return {
    rows: rows.map(({ path, lastAccessMs }) => `${path} ${lastAccessMs}`),
    blocks: (await index.blocksOf(first?.id ?? 0)).length,
    versions: (await index.versionsOf("train", "a/new")).map(({ version }) => version),
    usage: await index.usage(),
    hits: (await index.counts()).map(({ hits }) => hits),
    tally: (await index.tally("train", "", { kind: "depth", depth: 1 }, null)).tallies,
    listed: [await index.listedMs("train", "a"), await index.listedMs("train", "b")],
  };
}

const EVERYTHING = {
  rows: ["a/old 1000", "a/new 2000"],
  blocks: 1,
  versions: ["v1"],
  usage: [{ backend: "train", uid: 1000, objects: 2, cachedBytes: 2 * BLOCK }],
  hits: [3],
  tally: [{ group: "a", uid: 1000, objects: 2, cachedBytes: 2 * BLOCK, lastAccessMs: 2_000 }],
  listed: [77, null],
};

Deno.test("an index nobody uses is read, and nothing is left beside it", async () => {
  await using at = await place();
  filled(at.path).close();
  {
    using index = ReadOnlyIndex.open(at.path);
    deepEqual(await everything(index), EVERYTHING);
    deepEqual(at.names(), ["index.sqlite"]);
  }
  deepEqual(at.names(), ["index.sqlite"]);
});

Deno.test("an index that was not closed is read with its log, which stays", async () => {
  await using at = await place();
  await using copy = await place();
  using _open = { [Symbol.dispose]: ((index) => () => index.close())(filled(at.path)) };
  for (const name of at.names()) await Deno.copyFile(`${at.root}/${name}`, `${copy.root}/${name}`);
  deepEqual(copy.names(), ["index.sqlite", "index.sqlite-wal"]);
  {
    using index = ReadOnlyIndex.open(copy.path);
    deepEqual(await everything(index), EVERYTHING);
  }
  deepEqual(copy.names(), ["index.sqlite", "index.sqlite-wal"]);
  const again = openIndex(copy.path);
  equal(again.totals().objects, 2);
  again.close();
});

Deno.test("an index of another format, or none, is refused with what to do", async () => {
  await using at = await place();
  throws(() => ReadOnlyIndex.open(at.path), { name: "CommandError" });
  deepEqual(at.names(), []);
  filled(at.path).close();
  {
    using database = new DatabaseSync(at.path);
    database.exec(`PRAGMA user_version = ${FORMAT_VERSION + 1}`);
  }
  throws(() => ReadOnlyIndex.open(at.path), {
    message: `Cannot read "${at.path}": it has format ${FORMAT_VERSION + 1}, ` +
      `wanted ${FORMAT_VERSION}`,
    hint: "Use the newer release of WarpDrive that wrote it",
  });
});

Deno.test("a row the disk changed is left out, and a file it changed is an error", async () => {
  await using at = await place();
  filled(at.path).close();
  {
    using database = new DatabaseSync(at.path);
    database.exec("UPDATE objects SET path = 'a/odd' WHERE path = 'a/old'");
  }
  {
    using index = ReadOnlyIndex.open(at.path);
    deepEqual((await everything(index)).rows, ["a/new 2000"]);
  }
  const bytes = await Deno.readFile(at.path);
  await Deno.writeFile(at.path, bytes.fill(0xff, 4_096));
  await rejects(async () => {
    using index = ReadOnlyIndex.open(at.path);
    await everything(index);
  }, { name: "CommandError" });
});
