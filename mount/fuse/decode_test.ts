import assert from "node:assert/strict";
import { CALLER, Fields, initMessage, kernelMessage } from "../../tests/support/kernel_message.ts";
import { OPCODES } from "./abi.ts";
import { decode } from "./decode.ts";
import { RecordsBuffer } from "./encode.ts";

/** Body fields of one opcode, and the operation they are. */
type Row = readonly [opcode: number, body: Fields, operation: Record<string, unknown>];

const HANDLE = 0x1_0000_0005; // a handle needs more than 32 bits
const OFFSET = 3 * 2 ** 40;

const fields = () => new Fields();
const handleBody = () => fields().u64(HANDLE).u32(0, 1).u64(0);
const readBody = () => fields().u64(HANDLE, OFFSET).u32(131_072, 2).u64(9).u32(0x8000, 0);

const SERVED: readonly Row[] = [
  [1, fields().name("shard-000000.tar"), { op: "lookup", name: "shard-000000.tar" }],
  [2, fields().u64(3), { op: "forget", forgotten: [{ node: 77, lookups: 3 }] }],
  [3, fields().u32(1, 0).u64(HANDLE), { op: "getattr" }],
  [5, fields(), { op: "readlink" }],
  [14, fields().u32(0x8000, 0), { op: "open", flags: 0x8000 }],
  [15, readBody(), { op: "read", handle: HANDLE, offset: OFFSET, size: 131_072 }],
  [17, fields(), { op: "statfs" }],
  [18, handleBody(), { op: "release", handle: HANDLE }],
  [22, fields().u32(64, 0).name("user.a"), { op: "getxattr", size: 64, name: "user.a" }],
  [23, fields().u32(64, 0), { op: "listxattr", size: 64 }],
  [25, fields().u64(HANDLE).u32(0, 0).u64(0), { op: "flush" }],
  [27, fields().u32(0x18000, 0), { op: "opendir" }],
  [29, handleBody(), { op: "releasedir", handle: HANDLE }],
  [34, fields().u32(2, 0), { op: "access", mask: 2 }],
  [38, fields(), { op: "destroy" }],
  [39, fields().u64(HANDLE).u32(0, 0x5401).u64(0).u32(0, 0), { op: "ioctl" }],
  [
    42,
    fields().u32(2, 0).u64(5, 1, 2 ** 52, 4),
    { op: "forget", forgotten: [{ node: 5, lookups: 1 }, { node: 2 ** 52, lookups: 4 }] },
  ],
  [
    46,
    fields().u64(HANDLE, OFFSET).u32(3, 0),
    { op: "lseek", handle: HANDLE, offset: OFFSET, whence: "data" },
  ],
  [52, fields().u32(0, 0).u64(0).u32(0, 0xfff), { op: "statx" }],
];

const DIRECTORY_READS = [28, 44];
const SESSION_OPCODES = [26, 36];
const MODIFYING = [4, 6, 8, 9, 10, 11, 12, 13, 16, 21, 24, 35, 43, 45, 47, 51, 53];
const UNSUPPORTED = [20, 30, 31, 32, 33, 37, 40, 41, 48, 49, 50];

function operationOf(message: Uint8Array<ArrayBuffer>): Record<string, unknown> {
  const decoded = decode(message, message.length);
  assert.equal(decoded.kind, "request", JSON.stringify(decoded));
  assert(decoded.kind === "request");
  const { id, node: _node, uid, gid, pid, ...operation } = decoded.request;
  assert.deepEqual({ id, uid, gid, pid }, { id: 6, uid: 1000, gid: 100, pid: 4711 });
  return operation;
}

function malformedReason(message: Uint8Array<ArrayBuffer>, length = message.length): string {
  const decoded = decode(message, length);
  assert(decoded.kind === "malformed", `Decoded as ${decoded.kind}`);
  return decoded.message.reason;
}

for (const [opcode, body, operation] of SERVED) {
  Deno.test(`decode reads ${OPCODES.get(opcode)?.name}`, () => {
    assert.deepEqual(operationOf(kernelMessage(opcode, body)), operation);
  });
}

for (const opcode of DIRECTORY_READS) {
  Deno.test(`decode reads ${OPCODES.get(opcode)?.name} and makes room for its reply`, () => {
    const operation = operationOf(kernelMessage(opcode, readBody()));
    const { records, ...rest } = operation;
    assert.deepEqual(rest, { op: "readdir", handle: HANDLE, cookie: OFFSET });
    assert(records instanceof RecordsBuffer);
    assert.equal(records.plus, opcode === 44);
  });
}

Deno.test("decode reads every operation that changes something as one that is refused", () => {
  for (const opcode of MODIFYING) {
    const operation = operationOf(kernelMessage(opcode, fields().u64(1, 2).name("x")));
    assert.deepEqual(operation, { op: "modify", name: OPCODES.get(opcode)?.name });
  }
});

Deno.test("decode reads what is not implemented as unsupported, unknown opcodes included", () => {
  for (const opcode of UNSUPPORTED) {
    const operation = operationOf(kernelMessage(opcode, fields().u64(1, 2, 3)));
    assert.deepEqual(operation, { op: "unsupported", name: OPCODES.get(opcode)?.name });
  }
  for (const opcode of [0, 7, 19, 54, 4096, 2 ** 32 - 1]) {
    const operation = operationOf(kernelMessage(opcode, fields()));
    assert.deepEqual(operation, { op: "unsupported", name: `opcode ${opcode}` });
  }
});

Deno.test("decode is tested on every opcode of the protocol", () => {
  const tested = [
    ...SERVED.map(([opcode]) => opcode),
    ...DIRECTORY_READS,
    ...SESSION_OPCODES,
    ...MODIFYING,
    ...UNSUPPORTED,
  ];
  assert.deepEqual(tested.sort((a, b) => a - b), [...OPCODES.keys()].sort((a, b) => a - b));
});

Deno.test("decode finds the request an interrupt is about", () => {
  const message = kernelMessage(36, fields().u64(4242), { unique: 4243, node: 0, pid: 0 });
  assert.deepEqual(decode(message, message.length), { kind: "interrupt", target: 4242 });
});

Deno.test("decode takes an INIT of 64 bytes with flags2 where INIT_EXT is set", () => {
  const offered = (1n << 37n) | (1n << 30n) | 1n;
  const message = initMessage(7, 45, offered);
  assert.deepEqual(decode(message, message.length), {
    kind: "init",
    init: { id: 2, major: 7, minor: 45, readAheadBytes: 131_072, flags: offered },
  });
});

Deno.test("decode leaves flags2 alone when INIT_EXT is not set", () => {
  const message = initMessage(7, 35, (0xffffn << 32n) | 1n);
  const decoded = decode(message, message.length);
  assert(decoded.kind === "init");
  assert.equal(decoded.init.flags, 1n);
});

Deno.test("decode takes the INIT of 16 bytes that kernels before 5.17 send", () => {
  const message = kernelMessage(26, fields().u32(7, 31, 131_072, 0x7fff_fffb));
  const decoded = decode(message, message.length);
  assert(decoded.kind === "init");
  assert.deepEqual({ ...decoded.init, id: 0 }, {
    id: 0,
    major: 7,
    minor: 31,
    readAheadBytes: 131_072,
    flags: 0x7fff_fffbn,
  });
});

Deno.test("decode keeps names that are not UTF-8 apart from all others", () => {
  const body = fields().raw([0x66, 0xff, 0x00]);
  assert.deepEqual(operationOf(kernelMessage(1, body)), { op: "lookup", name: "f\udcff" });
});

Deno.test("decode reads a name from the front, whatever extension follows it", () => {
  const body = fields().name("a").raw(new Uint8Array(24));
  assert.deepEqual(operationOf(kernelMessage(1, body)), { op: "lookup", name: "a" });
});

Deno.test("decode takes requests about no inode as requests about the root", () => {
  const message = kernelMessage(17, fields(), { ...CALLER, node: 0 });
  const decoded = decode(message, message.length);
  assert(decoded.kind === "request");
  assert.equal(decoded.request.node, 1);
});

Deno.test("decode reports every message that ends inside its header or body as malformed", () => {
  for (const [opcode, row] of OPCODES) {
    const shortest = kernelMessage(opcode, fields().raw(new Uint8Array(row.bodyBytesMin)));
    for (let length = 0; length < shortest.length; length += 1) {
      const cut = shortest.slice(0, length);
      if (length >= 4) new DataView(cut.buffer).setUint32(0, length, true);
      assert.match(malformedReason(cut), /are no header|too few/);
    }
  }
});

Deno.test("decode reports a length that is not the message's as malformed", () => {
  const message = kernelMessage(3, fields().u64(0, 0));
  assert.match(malformedReason(message, message.length - 1), /header says 56 bytes of 55/);
  const longer = new Uint8Array(message.length + 8);
  longer.set(message);
  assert.match(malformedReason(longer), /header says 56 bytes of 64/);
});

Deno.test("decode says which request a malformed message was, so that it can be answered", () => {
  const message = kernelMessage(15, fields().u64(1));
  const decoded = decode(message, message.length);
  assert(decoded.kind === "malformed");
  assert.equal(decoded.message.id, 6);
});

const INCONSISTENT: readonly (readonly [what: string, message: Uint8Array<ArrayBuffer>])[] = [
  ["a name without an end", kernelMessage(1, fields().raw([0x61, 0x62, 0x63]))],
  ["an attribute name without an end", kernelMessage(22, fields().u64(0).raw([0x61, 0x62]))],
  ["more forgotten nodes than it has room for", kernelMessage(42, fields().u32(2, 0).u64(5, 1))],
  ["4 billion forgotten nodes", kernelMessage(42, fields().u32(2 ** 32 - 1, 0).u64(5, 1))],
  ["a forgotten node 0", kernelMessage(42, fields().u32(1, 0).u64(0, 1))],
  ["a FORGET of node 0", kernelMessage(2, fields().u64(1), { ...CALLER, node: 0 })],
  ["a node above 2^53", kernelMessage(3, fields().u64(0, 0), { ...CALLER, node: 2n ** 53n })],
  ["a request id above 2^53", kernelMessage(17, fields(), { ...CALLER, unique: 2n ** 63n })],
  ["a handle above 2^53", kernelMessage(18, fields().u64(2n ** 60n, 0, 0))],
  ["an offset above 2^53", kernelMessage(15, fields().u64(1, 2n ** 62n).raw(new Uint8Array(24)))],
  ["an lseek from the end", kernelMessage(46, fields().u64(1, 0).u32(2, 0))],
];

for (const [what, message] of INCONSISTENT) {
  Deno.test(`decode reports ${what} as malformed`, () => {
    malformedReason(message);
  });
}
