import { deepEqual, equal } from "node:assert/strict";
import { AssertionError } from "../../cache/platform/assert.ts";
import { throws } from "node:assert/strict";
import { BitWriter } from "./bit_writer.ts";

function written(...values: readonly (readonly [number, number])[]): number[] {
  const bytes = new Uint8Array(16);
  const writer = new BitWriter(bytes);
  for (const [value, bits] of values) writer.put(value, bits);
  return [...bytes.subarray(0, writer.finish())];
}

Deno.test("BitWriter puts the most significant bit first and fills the last byte with ones", () => {
  deepEqual(written([0b101, 3]), [0b1011_1111]);
  deepEqual(written([0b1, 1], [0x123456, 24], [0, 7]), [0x89, 0x1a, 0x2b, 0x00]);
  deepEqual(written(), []);
});

Deno.test("BitWriter puts a zero behind every byte of ones", () => {
  deepEqual(written([0xffff, 16]), [0xff, 0, 0xff, 0]);
  deepEqual(written([0x7f, 7]), [0xff, 0]);
});

Deno.test("BitWriter counts bits without what is stuffed", () => {
  const writer = new BitWriter(new Uint8Array(16));
  writer.put(0xff, 8);
  writer.put(1, 3);
  equal(writer.writtenBits, 11);
});

Deno.test("BitWriter refuses to end beyond its room", () => {
  const writer = new BitWriter(new Uint8Array(1));
  writer.put(0x1234, 16);
  throws(() => writer.finish(), AssertionError);
});
