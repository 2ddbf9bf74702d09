import assert from "node:assert/strict";
import { Fields } from "../../../tests/support/kernel_message.ts";
import { parseDirectoryRecords } from "./directory.ts";

/** One struct linux_dirent64. */
function record(fields: Fields, position: bigint, type: number, name: Uint8Array): Fields {
  const length = Math.ceil((19 + name.length + 1) / 8) * 8;
  return fields.u64(1, position).u16(length).raw([type]).raw(name)
    .raw(new Uint8Array(length - 19 - name.length));
}

const text = (name: string) => new TextEncoder().encode(name);

Deno.test("parseDirectoryRecords reads names of any bytes and length, with their types", () => {
  const fields = new Fields();
  record(fields, 1n, 4, text("."));
  record(fields, 2n, 4, text(".."));
  record(fields, 3n, 8, text("n".repeat(255)));
  record(fields, 4n, 4, new Uint8Array([0x64, 0xff]));
  record(fields, 5n, 10, text("link"));
  record(fields, 6n, 1, text("pipe"));
  record(fields, 2n ** 62n, 0, text("untold"));
  const { names, position } = parseDirectoryRecords(fields.bytes());
  assert.deepEqual(names, [
    { name: "n".repeat(255), type: "object" },
    { name: "d\udcff", type: "directory" },
    { name: "link", type: "symlink" },
    { name: "pipe", type: "other" },
    { name: "untold", type: "unknown" },
  ]);
  assert.equal(position, 2n ** 62n); // ext4 uses all 63 bits
});

Deno.test("parseDirectoryRecords reads the end of a directory as no names", () => {
  assert.deepEqual(parseDirectoryRecords(new Uint8Array(0)), { names: [], position: 0n });
});
