import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { newObject, openIndex, wholeBlocks } from "../../tests/support/cached_rows.ts";
import { sampleBytes } from "../../tests/support/sample_bytes.ts";
import { withSeed } from "../../tests/support/seeded_random.ts";
import type { BlockIndex } from "./block_index.ts";
import type { NewObject } from "./rows.ts";
import { FORMAT_VERSION } from "./schema.ts";
import { CommandError } from "../platform/exit.ts";

const OBJECTS: readonly NewObject[] = Array.from(
  { length: 60 },
  (_, number) => newObject(`data/set${number % 3}/shard-${number}.tar`, `"0x8D${number}"`, number),
);

async function place() {
  const root = await Deno.makeTempDir({ prefix: "warpdrive-damage-" });
  return {
    root,
    path: `${root}/index.sqlite`,
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

/** Fills the index with `OBJECTS`, each with three blocks, and closes it. */
function fill(path: string): void {
  const index = openIndex(path);
  OBJECTS.forEach((object, number) => index.commit([wholeBlocks(index.insert(object), 3, number)]));
  index.close();
}

/** Asks for everything; how many objects are known. What is known has to be what was put. */
function examine(index: BlockIndex): number {
  let known = 0;
  for (const object of OBJECTS) {
    const row = index.find(object);
    if (row === null) continue;
    known += 1;
    const { id: _id, cachedBytes: _cached, lastAccessMs: _access, pinned: _pinned, ...rest } = row;
    const { lastAccessMs: _, pinned: __, ...wanted } = object;
    deepEqual(rest, wanted);
    index.blocksOf(row.id);
  }
  index.totals();
  index.rows(null, 1_000);
  for (const directory of ["", "data", "data/set1"]) index.children("train", directory, null, 100);
  // Whatever was lost, it takes new objects.
  const id = index.insert(newObject("new"));
  index.commit([wholeBlocks(id, 2, 5)]);
  deepEqual(index.blocksOf(id), wholeBlocks(id, 2, 5).blocks);
  index.remove([id]);
  return known;
}

Deno.test("an index with flipped bits gives only rows that were written", async () => {
  await withSeed(1, async (random) => {
    await using at = await place();
    fill(at.path);
    const whole = await Deno.readFile(at.path);
    let [lost, kept] = [0, 0];
    for (let run = 0; run < 150; run += 1) {
      const bytes = whole.slice();
      const flips = 1 + random.below(20);
      for (let flip = 0; flip < flips; flip += 1) {
        // One run in three damages the pages SQLite reads first.
        const offset = random.below(run % 3 === 0 ? 8_192 : bytes.length);
        bytes[offset] = (bytes[offset] ?? 0) ^ (1 << random.below(8));
      }
      await Deno.remove(at.root, { recursive: true });
      await Deno.mkdir(at.root);
      await Deno.writeFile(at.path, bytes);
      const damage: string[] = [];
      let index: BlockIndex;
      try {
        index = openIndex(at.path, damage);
      } catch (error) {
        // A flip in the version looks like the work of a newer release.
        ok(error instanceof CommandError, String(error));
        continue;
      }
      const known = examine(index);
      kept += known;
      if (known < OBJECTS.length) lost += 1;
      index.close();
    }
    ok(lost > 10 && kept > 1_000, `${lost} runs lost something, ${kept} objects were kept`);
  });
});

Deno.test("an index that was replaced while nobody used it begins anew", async (t) => {
  const strangers: Record<string, (path: string) => Promise<void> | void> = {
    "cut to nothing": (path) => Deno.truncate(path, 0),
    "cut within its header": (path) => Deno.truncate(path, 50),
    "cut to a page": (path) => Deno.truncate(path, 4_096),
    "cut in the middle": (path) => Deno.truncate(path, 20_000),
    "removed": (path) => Deno.remove(path),
    "swapped with text": (path) => Deno.writeTextFile(path, "hello ".repeat(2_000)),
    "swapped with noise": (path) => Deno.writeFile(path, sampleBytes(50_000, 1)),
    "swapped with another database": async (path) => {
      await Deno.remove(path);
      using database = new DatabaseSync(path);
      database.exec("CREATE TABLE objects (id INTEGER PRIMARY KEY); PRAGMA user_version = 1");
    },
    "with another schema": (path) => {
      using database = new DatabaseSync(path);
      database.exec("ALTER TABLE objects ADD COLUMN more TEXT");
    },
  };
  for (const [what, replace] of Object.entries(strangers)) {
    await t.step(what, async () => {
      await using at = await place();
      fill(at.path);
      await replace(at.path);
      const damage: string[] = [];
      const index = openIndex(at.path, damage);
      equal(examine(index), 0);
      equal(damage.length, what === "removed" || what === "cut to nothing" ? 0 : 1, damage.join());
      index.close();
      const again = openIndex(at.path, damage);
      equal(damage.length <= 1, true);
      again.close();
    });
  }
});

Deno.test("a log without its database, or of another one, is not believed", async () => {
  await using at = await place();
  fill(at.path);
  const noise = sampleBytes(100_000, 3);
  await Deno.writeFile(`${at.path}-wal`, noise);
  const index = openIndex(at.path);
  equal(examine(index), OBJECTS.length);
  index.close();
  await Deno.remove(at.path);
  await Deno.writeFile(`${at.path}-wal`, noise);
  const fresh = openIndex(at.path);
  equal(examine(fresh), 0);
  fresh.close();
});

Deno.test("an index of a newer format is left alone, with a hint", async () => {
  await using at = await place();
  fill(at.path);
  {
    using database = new DatabaseSync(at.path);
    database.exec(`PRAGMA user_version = ${FORMAT_VERSION + 1}`);
  }
  throws(() => openIndex(at.path), {
    name: "CommandError",
    message: `Cannot open "${at.path}": it has format ${FORMAT_VERSION + 1}, ` +
      `wanted ${FORMAT_VERSION} or older`,
    hint: "Use the newer release of WarpDrive that wrote it, or give this one an empty cache.path",
  });
  using database = new DatabaseSync(at.path);
  equal(database.prepare("SELECT count(*) AS n FROM objects").get()?.["n"], OBJECTS.length);
});

Deno.test("an index damaged while it is in use goes on, empty at worst", async (t) => {
  const accidents: Record<string, (path: string) => Promise<void>> = {
    "cut": (path) => Deno.truncate(path, 4_096),
    "cut to nothing": (path) => Deno.truncate(path, 0),
    "removed": (path) => Deno.remove(path),
    "overwritten": (path) => Deno.writeFile(path, sampleBytes(200_000, 1)),
    "its log cut": (path) => Deno.truncate(`${path}-wal`, 0),
    "its log removed": (path) => Deno.remove(`${path}-wal`),
  };
  for (const [what, happen] of Object.entries(accidents)) {
    await t.step(what, async () => {
      await using at = await place();
      fill(at.path);
      const damage: string[] = [];
      const index = openIndex(at.path, damage);
      index.commit([wholeBlocks(index.insert(newObject("first")), 1, 1)]);
      await happen(at.path);
      examine(index);
      for (let number = 0; number < 300; number += 1) {
        index.commit([wholeBlocks(index.insert(newObject(`more${number}`)), 20, number)]);
      }
      examine(index);
      index.close();
      const again = openIndex(at.path, damage);
      examine(again);
      again.close();
    });
  }
});

Deno.test("a row the disk changed is dropped alone, and what it took is not counted", async () => {
  await using at = await place();
  fill(at.path);
  {
    using database = new DatabaseSync(at.path);
    database.exec("UPDATE objects SET size_bytes = size_bytes + 1 WHERE id = 1");
    database.exec("UPDATE objects SET cached_bytes = -5 WHERE id = 2");
    database.exec("UPDATE objects SET last_access_ms = 9223372036854775807 WHERE id = 3");
    database.exec("UPDATE blocks SET crcs = x'00' WHERE object_id = 4 AND block = 1");
  }
  const damage: string[] = [];
  const index = openIndex(at.path, damage);
  const [first, second, , fourth] = OBJECTS;
  ok(first && second && fourth);
  equal(index.find(first), null);
  equal(index.find(second), null);
  equal(index.blocksOf(index.find(fourth)?.id ?? 0).length, 2);
  deepEqual(damage, [
    "Object 1 does not have its checksum",
    "Object 2 does not have its checksum",
    "The checksums of a block have another length",
  ]);
  deepEqual(index.totals(), { objects: 58, cachedBytes: 58 * 12 * 2 ** 20 });
  index.close();
});
