import { deepEqual, equal } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { openIndex } from "../../tests/support/cached_rows.ts";
import type { Entry } from "../backend/backend.ts";
import { BlockIndex } from "./block_index.ts";
import type { StoredListing } from "./listings.ts";

async function place() {
  const root = await Deno.makeTempDir({ prefix: "warpdrive-listings-" });
  return {
    path: `${root}/index.sqlite`,
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

const ENTRIES: readonly Entry[] = [
  { kind: "directory", name: "é", modified: null, posix: null },
  { kind: "directory", name: "d", modified: { seconds: -1, nanoseconds: 5 }, posix: null },
  {
    kind: "object",
    name: 'a "b"\n',
    sizeBytes: 2 ** 45,
    modified: { seconds: 1_700_000_000, nanoseconds: 999_999_999 },
    version: '"0x8D"',
    etag: "0x8D",
    posix: null,
  },
  {
    kind: "object",
    name: "",
    sizeBytes: 0,
    modified: { seconds: 0, nanoseconds: 0 },
    version: "",
    etag: null,
    posix: null,
  },
];

const LISTING: StoredListing = { fetchedMs: 1_700_000_000_123, complete: true, entries: ENTRIES };

/** A listing whose compressed form cannot be much shorter than its names. */
function bigListing(entries: number): StoredListing {
  return {
    ...LISTING,
    entries: Array.from({ length: entries }, () => ({
      kind: "directory",
      name: crypto.randomUUID(),
      modified: null,
      posix: null,
    })),
  };
}

Deno.test("a listing comes back as it was put, also after a restart", async () => {
  await using at = await place();
  const first = openIndex(at.path);
  equal(first.listing("train", "d"), null);
  first.putListing("train", "d", bigListing(3));
  first.putListing("train", "d", LISTING);
  first.putListing("train", "", { ...LISTING, complete: false, entries: [] });
  first.close();
  const second = openIndex(at.path);
  deepEqual(second.listing("train", "d"), LISTING);
  deepEqual(second.listing("train", ""), { ...LISTING, complete: false, entries: [] });
  equal(second.listing("eval", "d"), null);
  second.removeListing("train", "d");
  equal(second.listing("train", "d"), null);
  second.close();
});

Deno.test("the least recently used listings leave when there are too many", async () => {
  await using at = await place();
  const bounds = { rowsMax: 3, bytesMax: 1_000_000 };
  const open = () =>
    BlockIndex.open({ path: at.path, firstId: 1, listings: bounds, onDamage: () => {} });
  const first = open();
  for (const path of ["a", "b", "c"]) first.putListing("train", path, LISTING);
  first.listing("train", "a");
  first.close();
  const second = open();
  second.putListing("train", "d", LISTING);
  const kept = ["a", "b", "c", "d"].filter((path) => second.listing("train", path) !== null);
  deepEqual(kept, ["a", "c", "d"]);
  second.close();
});

Deno.test("listings stay within their bytes, and one takes at most a quarter of them", async () => {
  await using at = await place();
  const bounds = { rowsMax: 1_000, bytesMax: 100_000 };
  const index = BlockIndex.open({
    path: at.path,
    firstId: 1,
    listings: bounds,
    onDamage: () => {},
  });
  for (let number = 0; number < 20; number += 1) {
    index.putListing("train", `d${number}`, bigListing(500));
  }
  index.putListing("train", "huge", bigListing(5_000));
  equal(index.listing("train", "huge"), null);
  index.close();
  using database = new DatabaseSync(at.path);
  const row = database.prepare(
    `SELECT count(*) AS rows, sum(bytes) AS bytes, sum(length(entries)) AS real,
       max(used) AS newest FROM listings`,
  ).get();
  const [bytes, real, rows] = [row?.["bytes"], row?.["real"], row?.["rows"]].map(Number);
  equal((bytes ?? 0) <= 100_000 && (real ?? 0) < (bytes ?? 0) && (rows ?? 0) >= 5, true);
});

Deno.test("a listing the disk changed is dropped and reported", async () => {
  await using at = await place();
  const first = openIndex(at.path);
  first.putListing("train", "d", LISTING);
  first.close();
  {
    using database = new DatabaseSync(at.path);
    const row = database.prepare("SELECT entries FROM listings").get();
    const entries = row?.["entries"];
    if (!(entries instanceof Uint8Array)) throw new Error("No listing");
    const flipped = new Uint8Array(entries);
    flipped[20] = (flipped[20] ?? 0) ^ 1;
    database.prepare("UPDATE listings SET entries = ?").run(flipped);
  }
  const damage: string[] = [];
  const second = openIndex(at.path, damage);
  equal(second.listing("train", "d"), null);
  deepEqual(damage, ["A listing does not have its checksum"]);
  equal(second.listing("train", "d"), null);
  equal(damage.length, 1);
  second.close();
});
