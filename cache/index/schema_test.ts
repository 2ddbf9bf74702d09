import { deepEqual, equal } from "node:assert/strict";
import { crc32 } from "node:zlib";
import { newObject, openIndex, wholeBlocks } from "../../tests/support/cached_rows.ts";
import { identityCrc } from "./rows.ts";
import { FORMAT_VERSION, SCHEMA } from "./schema.ts";
import { decodeEntries } from "./listing_codec.ts";

const BUMP = "The format changed: bump FORMAT_VERSION, and then these numbers";

Deno.test("the format of the index is the one its version stands for", () => {
  equal(FORMAT_VERSION, 3, BUMP);
  equal(crc32(SCHEMA.join("\n")), 0x10ed3244, BUMP);
  equal(identityCrc(0x1a2b, newObject("a/b.tar")), 0x999792a8, BUMP);
  equal(identityCrc(1, { ...newObject("é"), etag: null }), 0xe7fc76ab, BUMP);
});

Deno.test("an index says in its header what it is", async () => {
  const root = await Deno.makeTempDir({ prefix: "warpdrive-schema-" });
  try {
    const index = openIndex(`${root}/index.sqlite`);
    index.commit([wholeBlocks(index.insert(newObject("a")), 1, 0x01020304)]);
    index.close();
    const bytes = await Deno.readFile(`${root}/index.sqlite`);
    const view = new DataView(bytes.buffer);
    equal(new TextDecoder().decode(bytes.subarray(0, 15)), "SQLite format 3");
    // Offsets of sqlite.org/fileformat2.html, section 1.3.
    deepEqual([view.getUint32(60), view.getUint32(68)], [3, 0x57447243], BUMP);
    const crcs = new Uint8Array(Array.from({ length: 32 }, () => [4, 3, 2, 1]).flat());
    equal(indexOfBytes(bytes, crcs) > 0, true, BUMP);
    equal((await Deno.stat(`${root}/index.sqlite`)).mode, 0o100600);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("a listing of this format can be read", () => {
  const written = Uint8Array.fromBase64(
    "H4sIAAAAAAAEA4uOVkpR0skrzckBE7E60UqJSjqGOkY65jpKZRCZ2FgAb/VWXyYAAAA=",
  );
  deepEqual(decodeEntries(written), [
    { kind: "directory", name: "d", modified: null, posix: null },
    {
      kind: "object",
      name: "a",
      sizeBytes: 7,
      modified: { seconds: 1, nanoseconds: 2 },
      version: "v",
      etag: null,
      posix: null,
    },
  ], BUMP);
});

function indexOfBytes(bytes: Uint8Array, wanted: Uint8Array): number {
  for (let start = 0; start + wanted.length <= bytes.length; start += 1) {
    if (wanted.every((byte, index) => bytes[start + index] === byte)) return start;
  }
  return -1;
}
