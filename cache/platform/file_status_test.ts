import assert from "node:assert/strict";
import { Fields } from "../../tests/support/kernel_message.ts";
import { parseStatx, STATX_BYTES, statxMatches } from "./file_status.ts";

/** struct statx of a file with these times and this size. */
function statx(size: number, modifiedSeconds: bigint, modifiedNanoseconds: number): DataView {
  const fields = new Fields()
    .u32(0x7ff, 4096).u64(0).u32(3, 1000, 100).u16(0o104755, 0)
    .u64(2n ** 60n, size, 24, 0)
    .u64(11).u32(111, 0) // atime
    .u64(0).u32(0, 0) // btime
    .u64(12).u32(222, 0) // ctime
    .u64(modifiedSeconds).u32(modifiedNanoseconds, 0) // mtime
    .u32(0, 0, 8, 1).raw(new Uint8Array(112));
  const bytes = fields.bytes();
  assert.equal(bytes.length, STATX_BYTES);
  return new DataView(bytes.buffer);
}

Deno.test("parseStatx reads struct statx, times before 1970 and large files included", () => {
  assert.deepEqual(parseStatx(statx(5 * 2 ** 40, -2n, 999_999_999)), {
    type: "file",
    permissions: 0o4755,
    links: 3,
    uid: 1000,
    gid: 100,
    inode: 2n ** 60n,
    deviceMajor: 8,
    deviceMinor: 1,
    sizeBytes: 5 * 2 ** 40,
    blocks: 24,
    accessed: { seconds: 11, nanoseconds: 111 },
    modified: { seconds: -2, nanoseconds: 999_999_999 },
    changed: { seconds: 12, nanoseconds: 222 },
  });
});

Deno.test("statxMatches sees another size and another time down to the nanosecond", () => {
  for (const seconds of [-2n, 13n, 2n ** 33n]) {
    const status = parseStatx(statx(7, seconds, 5));
    assert.equal(statxMatches(statx(7, seconds, 5), status), true);
    assert.equal(statxMatches(statx(8, seconds, 5), status), false);
    assert.equal(statxMatches(statx(7, seconds, 6), status), false);
    assert.equal(statxMatches(statx(7, seconds + 1n, 5), status), false);
  }
});
