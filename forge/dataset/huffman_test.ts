import { deepEqual, equal } from "node:assert/strict";
import { AC_TABLE, DC_TABLE, extraBits, huffmanCodes, sizeOf } from "./huffman.ts";

function codeOf(table: typeof AC_TABLE, symbol: number): string {
  const { codes, bits } = huffmanCodes(table);
  return (codes[symbol] ?? 0).toString(2).padStart(bits[symbol] ?? 0, "0");
}

Deno.test("huffmanCodes gives the codes that tables K.3 and K.5 list", () => {
  equal(codeOf(DC_TABLE, 0), "00");
  equal(codeOf(DC_TABLE, 6), "1110");
  equal(codeOf(DC_TABLE, 11), "111111110");
  equal(codeOf(AC_TABLE, 0x00), "1010");
  equal(codeOf(AC_TABLE, 0x01), "00");
  equal(codeOf(AC_TABLE, 0x31), "111010");
  equal(codeOf(AC_TABLE, 0x82), "111111111000000");
  equal(codeOf(AC_TABLE, 0xf0), "11111111001");
  equal(codeOf(AC_TABLE, 0xfa), "1111111111111110");
});

Deno.test("The table of runs has every run and size once", () => {
  const expected = [0x00, 0xf0];
  for (let run = 0; run < 16; run += 1) {
    for (let size = 1; size <= 10; size += 1) expected.push(run * 16 + size);
  }
  deepEqual([...AC_TABLE.symbols].sort((a, b) => a - b), expected.sort((a, b) => a - b));
  equal(AC_TABLE.counts.reduce((sum, count) => sum + count, 0), AC_TABLE.symbols.length);
});

Deno.test("extraBits writes a negative value as what lies above the smallest of its size", () => {
  deepEqual([0, 1, -1, 2, 3, -3, 127, -128].map(sizeOf), [0, 1, 1, 2, 2, 2, 7, 8]);
  deepEqual([1, -1, 2, 3, -2, -3, -127].map(extraBits), [1, 0, 2, 3, 1, 0, 0]);
});
