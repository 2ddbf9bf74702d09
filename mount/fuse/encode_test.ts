import assert from "node:assert/strict";
import { Fields, hex } from "../../tests/support/kernel_message.ts";
import { INIT } from "./abi.ts";
import {
  encodeInit,
  encodeInitError,
  encodeNotification,
  RecordsBuffer,
  ReplyEncoder,
} from "./encode.ts";
import { handleId, nodeId, requestId } from "./ids.ts";
import type { Attributes, FoundEntry, InitRequest, OpenedAs, Reply } from "./messages.ts";

const ID = requestId(0x1_0000_0006); // an id needs more than 32 bits
const nothing = () => undefined;

const ATTRIBUTES: Attributes = {
  inode: 2 ** 52 + 1,
  sizeBytes: 5 * 2 ** 40,
  blocks: 10 * 2 ** 30,
  accessed: { seconds: 1_700_000_001, nanoseconds: 111 },
  modified: { seconds: 1_700_000_002, nanoseconds: 222 },
  changed: { seconds: -1, nanoseconds: 333 },
  mode: 0o100444,
  links: 1,
  uid: 1000,
  gid: 100,
};

const ENTRY: FoundEntry = {
  node: nodeId(77),
  attributes: ATTRIBUTES,
  entryValidMs: 60_000,
  attributesValidMs: 1_500,
};

/** struct fuse_attr of ATTRIBUTES. */
function attributeFields(fields: Fields): Fields {
  return fields
    .u64(2 ** 52 + 1, 5 * 2 ** 40, 10 * 2 ** 30, 1_700_000_001, 1_700_000_002, -1n)
    .u32(111, 222, 333, 0o100444, 1, 1000, 100, 0, 4096, 0);
}

/** struct fuse_out_header and `body`. */
function answer(body: Fields, error = 0): string {
  const bytes = body.bytes();
  return hex(new Fields().u32(16 + bytes.length, error).u64(ID).raw(bytes).bytes());
}

function encoded(reply: Reply): string {
  const message = new ReplyEncoder().encode(ID, reply);
  assert(message !== null);
  return hex(new Uint8Array([...message.head, ...message.tail ?? []]));
}

Deno.test("ReplyEncoder writes an error as its negated number and nothing else", () => {
  assert.equal(
    encoded({ kind: "error", errno: 2 }),
    "10000000feffffff 0600000001000000",
  );
});

Deno.test("ReplyEncoder refuses error numbers that the kernel would not take", () => {
  assert.throws(() => encoded({ kind: "error", errno: 512 }), /Errno 512/);
  assert.throws(() => encoded({ kind: "error", errno: -2 }), /Errno -2/);
});

Deno.test("ReplyEncoder answers success without a value by a header alone", () => {
  assert.equal(encoded({ kind: "empty" }), "1000000000000000 0600000001000000");
});

Deno.test("ReplyEncoder answers FORGET with no message at all", () => {
  assert.equal(new ReplyEncoder().encode(ID, { kind: "none" }), null);
});

Deno.test("ReplyEncoder writes a found name as struct fuse_entry_out", () => {
  const body = attributeFields(new Fields().u64(77, 0, 60, 1).u32(0, 500_000_000));
  assert.equal(body.bytes().length, 128);
  assert.equal(encoded({ kind: "entry", entry: ENTRY, withdraw: nothing }), answer(body));
});

Deno.test("ReplyEncoder writes a missing name as node 0 with a validity", () => {
  const body = new Fields().u64(0, 0, 5, 0).u32(250_000_000, 0).raw(new Uint8Array(88));
  assert.equal(encoded({ kind: "absent", validMs: 5_250 }), answer(body));
});

Deno.test("ReplyEncoder writes attributes as struct fuse_attr_out", () => {
  const body = attributeFields(new Fields().u64(60).u32(0, 0));
  assert.equal(body.bytes().length, 104);
  const reply: Reply = { kind: "attributes", attributes: ATTRIBUTES, validMs: 60_000 };
  assert.equal(encoded(reply), answer(body));
});

Deno.test("ReplyEncoder writes STATX as basic stats, without a birth time", () => {
  const body = new Fields().u64(60).u32(0, 0).u64(0, 0)
    .u32(0x7ff, 4096).u64(0).u32(1, 1000, 100).u16(0o100444, 0)
    .u64(2 ** 52 + 1, 5 * 2 ** 40, 10 * 2 ** 30, 0)
    .u64(1_700_000_001).u32(111, 0) // atime
    .u64(0).u32(0, 0) // btime
    .u64(-1n).u32(333, 0) // ctime
    .u64(1_700_000_002).u32(222, 0) // mtime
    .raw(new Uint8Array(128));
  assert.equal(body.bytes().length, 288);
  const reply: Reply = { kind: "statx", attributes: ATTRIBUTES, validMs: 60_000 };
  assert.equal(encoded(reply), answer(body));
});

const OPENED: readonly (readonly [what: string, as: OpenedAs, body: string])[] = [
  ["in the page cache", { mode: "cached" }, "0500000000000000 2200000000000000"],
  [
    "in passthrough",
    { mode: "passthrough", backingId: 9 },
    "0500000000000000 a000000009000000",
  ],
  [
    "as a directory nobody keeps",
    { mode: "directory", listing: "uncached" },
    "0500000000000000 0000000000000000",
  ],
  [
    "as a directory to keep",
    { mode: "directory", listing: "fill" },
    "0500000000000000 0800000000000000",
  ],
  [
    "as a directory kept before",
    { mode: "directory", listing: "reuse" },
    "0500000000000000 0a00000000000000",
  ],
];

for (const [what, as, body] of OPENED) {
  Deno.test(`ReplyEncoder writes what was opened ${what} as struct fuse_open_out`, () => {
    const reply: Reply = { kind: "opened", handle: handleId(5), as, withdraw: nothing };
    assert.equal(encoded(reply), `2000000000000000 0600000001000000 ${body}`);
  });
}

Deno.test("ReplyEncoder writes file system status as struct fuse_kstatfs", () => {
  const status = { blockBytes: 4096, blocks: 2 ** 38, files: 3, nameBytesMax: 255 };
  const body = new Fields().u64(2 ** 38, 0, 0, 3, 0).u32(4096, 255, 4096, 0)
    .raw(new Uint8Array(24));
  assert.equal(encoded({ kind: "statfs", status }), answer(body));
});

Deno.test("ReplyEncoder writes the size of an attribute and the offset of a seek", () => {
  assert.equal(
    encoded({ kind: "size", sizeBytes: 300 }),
    "1800000000000000 0600000001000000 2c01000000000000",
  );
  assert.equal(
    encoded({ kind: "offset", offset: 5 * 2 ** 40 }),
    "1800000000000000 0600000001000000 0000000000050000",
  );
});

Deno.test("ReplyEncoder sends bytes behind the header as they are, none included", () => {
  const bytes = new Uint8Array([1, 2, 3]);
  const message = new ReplyEncoder().encode(ID, { kind: "bytes", bytes, release: nothing });
  assert.equal(message?.tail, bytes);
  assert.equal(hex(message.head), "1300000000000000 0600000001000000");
  assert.equal(
    encoded({ kind: "bytes", bytes: new Uint8Array(0), release: nothing }),
    "1000000000000000 0600000001000000",
  );
});

Deno.test("ReplyEncoder leaves nothing of one reply in the next", () => {
  const encoder = new ReplyEncoder();
  encoder.encode(ID, { kind: "statx", attributes: ATTRIBUTES, validMs: 60_000 });
  const absent = encoder.encode(ID, { kind: "absent", validMs: 0 });
  assert.equal(
    hex(absent?.head ?? new Uint8Array(0)),
    answer(new Fields().raw(new Uint8Array(128))),
  );
  encoder.encode(ID, { kind: "statx", attributes: ATTRIBUTES, validMs: 60_000 });
  const size = encoder.encode(ID, { kind: "size", sizeBytes: 1 });
  assert.equal(hex(size?.head ?? new Uint8Array(0)), answer(new Fields().u32(1, 0)));
});

Deno.test("ReplyEncoder sends directory records behind the header, and the end as no bytes", () => {
  const records = new RecordsBuffer(4096, false);
  assert.equal(
    encoded({ kind: "records", records, withdraw: nothing }),
    "1000000000000000 0600000001000000",
  );
  records.add({ name: "a", inode: 9, type: 0o100000, cookie: 3 }, null);
  assert.equal(
    encoded({ kind: "records", records, withdraw: nothing }),
    "3000000000000000 0600000001000000 0900000000000000 0300000000000000 " +
      "0100000008000000 6100000000000000",
  );
});

const OFFERED: InitRequest = {
  id: ID,
  major: 7,
  minor: 45,
  readAheadBytes: 131_072,
  flags: 0n,
};

Deno.test("encodeInit writes all 64 bytes of struct fuse_init_out", () => {
  const agreed = {
    minor: 45,
    readAheadBytes: 1 << 20,
    flags: INIT.ASYNC_READ | INIT.INIT_EXT | INIT.PASSTHROUGH,
    maxBackground: 64,
    congestionThreshold: 48,
    maxWriteBytes: 65_536,
    maxPages: 256,
    maxStackDepth: 1,
  };
  const body = new Fields().u32(7, 45, 1 << 20, 0x4000_0001).u16(64, 48).u32(65_536, 1)
    .u16(256, 0).u32(1 << 5, 1).raw(new Uint8Array(24));
  assert.equal(hex(encodeInit(OFFERED, agreed)), answer(body));
});

Deno.test("encodeInit asks a kernel of a newer major version for ours with nothing but 7", () => {
  const body = new Fields().u32(7).raw(new Uint8Array(60));
  assert.equal(hex(encodeInit(OFFERED, null)), answer(body));
});

Deno.test("encodeInitError fails the mount with EIO", () => {
  assert.equal(hex(encodeInitError(OFFERED)), answer(new Fields(), -5));
});

Deno.test("encodeNotification writes FUSE_NOTIFY_INVAL_ENTRY with the name and its NUL", () => {
  const bytes = encodeNotification({ kind: "forget_entry", parent: nodeId(77), name: "ä" });
  assert.equal(
    hex(bytes),
    "2300000003000000 0000000000000000 4d00000000000000 0200000000000000 c3a400",
  );
});

Deno.test("encodeNotification writes FUSE_NOTIFY_PRUNE with every node", () => {
  const bytes = encodeNotification({ kind: "prune", nodes: [nodeId(2), nodeId(2 ** 52)] });
  assert.equal(
    hex(bytes),
    "3000000009000000 0000000000000000 0200000000000000 0000000000000000 " +
      "0200000000000000 0000000000001000",
  );
});
