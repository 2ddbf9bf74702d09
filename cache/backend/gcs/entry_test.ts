import assert from "node:assert/strict";
import {
  checksumOf,
  listPage,
  OBJECT_LISTING,
  objectEntry,
  STORED_CHECKSUM,
  STORED_OBJECT,
} from "./entry.ts";

function item(name: string) {
  return {
    kind: "storage#object",
    name,
    size: "3",
    generation: "1795387987930396",
    timeCreated: "2026-11-22T22:53:07.930Z",
    updated: "2026-11-23T00:00:00.000Z",
    etag: "CJzg",
  };
}

/** A listing of `keys` and `prefixes` as the service writes it. */
function answer(keys: readonly string[], prefixes: readonly string[]) {
  return OBJECT_LISTING.parse({ kind: "storage#objects", items: keys.map(item), prefixes });
}

function shown(page: ReturnType<typeof listPage>): string[] {
  return page.entries.map(({ kind, name }) => `${kind} ${name}`);
}

Deno.test("listPage shows objects and prefixes by their last segment", () => {
  const page = listPage("d/", { ...answer(["d/file"], ["d/sub/"]), nextPageToken: "token" });
  assert.deepEqual(page, {
    entries: [
      {
        kind: "object",
        name: "file",
        sizeBytes: 3,
        modified: { seconds: Date.UTC(2026, 10, 22, 22, 53, 7) / 1000, nanoseconds: 930_000_000 },
        version: "1795387987930396",
        etag: "CJzg",
        posix: null,
      },
      { kind: "directory", name: "sub", modified: null, posix: null },
    ],
    next: "token",
    unlistable: 0,
  });
});

Deno.test("listPage of nothing is an empty last page", () => {
  const page = listPage("d/", OBJECT_LISTING.parse({ kind: "storage#objects" }));
  assert.deepEqual(page, { entries: [], next: null, unlistable: 0 });
});

Deno.test("listPage lets a directory shadow an object, and counts what it cannot show", () => {
  const long = "x".repeat(256);
  const listing = answer(["d/", "d/both", `d/${long}`, "d/."], ["d/both/", "d//", "d/../"]);
  const page = listPage("d/", listing);
  assert.deepEqual(shown(page), ["directory both"]);
  assert.equal(page.unlistable, 4);
});

Deno.test("OBJECT_LISTING takes only what Cloud Storage writes", () => {
  assert.equal(OBJECT_LISTING.safeParse({}).success, false);
  assert.equal(OBJECT_LISTING.safeParse({ kind: "storage#object" }).success, false);
  const whole = item("a");
  assert.equal(STORED_OBJECT.safeParse(whole).success, true);
  for (
    const wrong of [{ generation: "" }, { generation: "x" }, { size: "-1" }, { timeCreated: "" }]
  ) {
    assert.equal(STORED_OBJECT.safeParse({ ...whole, ...wrong }).success, false);
  }
});

Deno.test("objectEntry keeps sizes beyond 32 bits", () => {
  const entry = objectEntry("a", STORED_OBJECT.parse({ ...item("a"), size: "10737418240" }));
  assert.equal(entry.sizeBytes, 10 * 1024 ** 3);
});

Deno.test("checksumOf is the MD5, and the CRC32C of what was composed and has none", () => {
  // Of "123456789", as catalogues of CRCs give it.
  const composed = { generation: "1", crc32c: "4waSgw==" };
  const parsed = STORED_CHECKSUM.parse(composed);
  assert.deepEqual(checksumOf(parsed), { digest: "crc32c", hex: "e3069283" });
  const whole = STORED_CHECKSUM.parse({ ...composed, md5Hash: "1B2M2Y8AsgTpgAmY7PhCfg==" });
  assert.deepEqual(checksumOf(whole), { digest: "md5", hex: "d41d8cd98f00b204e9800998ecf8427e" });
  // Who has not the customer's key is told neither.
  assert.equal(checksumOf(STORED_CHECKSUM.parse({ generation: "1" })), null);
});
