/**
 * Huffman codes of baseline JPEG, with the typical tables of ITU-T T.81 Annex K.3 for luminance,
 * which serve all components here.
 */

/** A table as a DHT segment has it. */
export interface HuffmanTable {
  /** How many codes there are of each length, from 1 to 16 bits. */
  readonly counts: Uint8Array<ArrayBuffer>;
  /** What the codes stand for, in the order of the codes. */
  readonly symbols: Uint8Array<ArrayBuffer>;
}

/** The codes of a table, by symbol. A symbol without a code has length 0. */
export interface HuffmanCodes {
  readonly codes: Uint32Array<ArrayBuffer>;
  readonly bits: Uint8Array<ArrayBuffer>;
}

/** Sizes of differences between neighbouring mean values: table K.3. */
export const DC_TABLE: HuffmanTable = {
  counts: Uint8Array.fromHex("00010501010101010100000000000000"),
  symbols: Uint8Array.fromHex("000102030405060708090a0b"),
};

/** Runs of zeros with the size of what follows: table K.5. */
export const AC_TABLE: HuffmanTable = {
  counts: Uint8Array.fromHex("0002010303020403050504040000017d"),
  symbols: Uint8Array.fromHex(
    "01020300041105122131410613516107227114328191a1082342b1c11552d1f0" +
      "2433627282090a161718191a25262728292a3435363738393a43444546474849" +
      "4a535455565758595a636465666768696a737475767778797a83848586878889" +
      "8a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5" +
      "c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8" +
      "f9fa",
  ),
};

/** The codes of `table`, given out in ascending order as Annex C has it. */
export function huffmanCodes({ counts, symbols }: HuffmanTable): HuffmanCodes {
  const codes = new Uint32Array(256);
  const bits = new Uint8Array(256);
  let code = 0;
  let taken = 0;
  for (const [index, count] of counts.entries()) {
    for (const symbol of symbols.subarray(taken, taken + count)) {
      codes[symbol] = code;
      bits[symbol] = index + 1;
      code += 1;
    }
    taken += count;
    code *= 2;
  }
  return { codes, bits };
}

/** Bits that `value` takes besides its code: its size category (F.1.2.1). */
export function sizeOf(value: number): number {
  return 32 - Math.clz32(Math.abs(value));
}

/** Those bits: the value itself, or for a negative one what lies above the smallest of its size. */
export function extraBits(value: number): number {
  return value >= 0 ? value : value + 2 ** sizeOf(value) - 1;
}
