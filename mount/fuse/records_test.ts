import assert from "node:assert/strict";
import { Fields, hex } from "../../tests/support/kernel_message.ts";
import { RecordsBuffer } from "./encode.ts";
import { nodeId } from "./ids.ts";
import type { DirectoryRecord, FoundEntry } from "./messages.ts";

const DIRECTORY = 0o040000;
const LINK = 0o120000;
const MOMENT = { seconds: 1, nanoseconds: 0 };

const FOUND: FoundEntry = {
  node: nodeId(77),
  attributes: {
    inode: 9,
    sizeBytes: 0,
    blocks: 0,
    accessed: MOMENT,
    modified: MOMENT,
    changed: MOMENT,
    mode: 0o040555,
    links: 2,
    uid: 0,
    gid: 0,
  },
  entryValidMs: 1_000,
  attributesValidMs: 2_000,
};

function named(name: string, cookie = 1): DirectoryRecord {
  return { name, inode: 9, type: DIRECTORY, cookie };
}

Deno.test("RecordsBuffer writes struct fuse_dirent, padded with zeros to 8 bytes", () => {
  const records = new RecordsBuffer(4096, false);
  assert(records.add({ name: "link", inode: 2 ** 52, type: LINK, cookie: 3 }, null));
  assert(records.add({ name: "directory", inode: 9, type: DIRECTORY, cookie: 4 }, null));
  const expected = new Fields().u64(2 ** 52, 3).u32(4, 10).raw(new TextEncoder().encode("link"))
    .u32(0).u64(9, 4).u32(9, 4).raw(new TextEncoder().encode("directory"))
    .raw(new Uint8Array(7));
  assert.equal(hex(records.filled), hex(expected.bytes()));
});

Deno.test("RecordsBuffer writes struct fuse_direntplus with the entry before the record", () => {
  const records = new RecordsBuffer(4096, true);
  assert(records.add(named("12345678"), FOUND));
  const expected = new Fields().u64(77, 0, 1, 2).u32(0, 0)
    .u64(9, 0, 0, 1, 1, 1).u32(0, 0, 0, 0o040555, 2, 0, 0, 0, 4096, 0)
    .u64(9, 1).u32(8, 4).raw(new TextEncoder().encode("12345678"));
  assert.equal(expected.bytes().length, 160);
  assert.equal(hex(records.filled), hex(expected.bytes()));
});

Deno.test("RecordsBuffer gives node 0 to a name without attributes, which counts no lookup", () => {
  const records = new RecordsBuffer(4096, true);
  assert(records.add(named("."), null));
  assert.deepEqual(records.filled.subarray(0, 128), new Uint8Array(128));
  assert.equal(records.filled.length, 160);
});

Deno.test("RecordsBuffer never splits a record: one that does not fit leaves no trace", () => {
  const records = new RecordsBuffer(63, false);
  assert(records.add(named("a"), null));
  assert.equal(records.add(named("b"), null), false);
  assert.equal(records.filled.length, 32);
  const exact = new RecordsBuffer(64, false);
  assert(exact.add(named("a"), null));
  assert(exact.add(named("b"), null));
  assert.equal(exact.filled.length, 64);
});

Deno.test("RecordsBuffer takes the longest name in the smallest buffer the kernel offers", () => {
  const records = new RecordsBuffer(4096, true);
  assert(records.add(named("n".repeat(255)), FOUND));
  assert.equal(records.filled.length, 128 + 24 + 256);
});

Deno.test("RecordsBuffer measures names in bytes, not in letters", () => {
  const records = new RecordsBuffer(4096, false);
  assert(records.add(named("ä\udcff"), null));
  const view = new DataView(records.filled.buffer, records.filled.byteOffset);
  assert.equal(view.getUint32(16, true), 3);
  assert.equal(hex(records.filled.subarray(24)), "c3a4ff0000000000");
});

Deno.test("RecordsBuffer stays within its own limit, whatever the caller offers", () => {
  const records = new RecordsBuffer(2 ** 32 - 1, false);
  let added = 0;
  while (records.add(named("12345678", added + 1), null)) added += 1;
  assert.equal(added, 128 * 1024 / 32);
});
