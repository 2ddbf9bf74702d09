import { equal, throws } from "node:assert/strict";
import { cutRuntime } from "./runtime_stub.ts";

/** A file of `length` bytes whose section table of 2 × 64 bytes begins at 1000. */
function elf(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x7f454c46);
  view.setUint8(4, 2);
  view.setBigUint64(0x28, 1000n, true);
  view.setUint16(0x3a, 64, true);
  view.setUint16(0x3c, 2, true);
  return bytes;
}

Deno.test("cutRuntime ends with the section table", () => {
  equal(cutRuntime(elf(5000)).length, 1128);
});

Deno.test("cutRuntime refuses what is no program or ends too early", () => {
  throws(() => cutRuntime(new Uint8Array(5000)), /not a 64-bit ELF/);
  throws(() => cutRuntime(elf(1100)), /beyond the end/);
});
