/** The segments before the entropy-coded bits of a baseline JPEG (ITU-T T.81 Annex B). */
import { AC_TABLE, DC_TABLE, type HuffmanTable } from "./huffman.ts";

/** What a decoder has to know. */
export interface JpegFrame {
  readonly width: number;
  readonly height: number;
  /** What the mean value of a block is multiplied by. */
  readonly meanStep: number;
  /** What every other coefficient is multiplied by. */
  readonly detailStep: number;
}

const ZIGZAG_LENGTH = 64;
/** Version 1.1, without a density or a thumbnail. */
const JFIF = "4a46494600" + "0101" + "00" + "0001" + "0001" + "0000";
/** Luminance in 2 by 2 blocks, then each colour in one block: number, sampling, table of steps. */
const COMPONENTS = "01" + "22" + "00" + "02" + "11" + "00" + "03" + "11" + "00";
/** Which component uses which pair of Huffman tables, and the spectrum: all of it at once. */
const SCAN = "03" + "0100" + "0200" + "0300" + "00" + "3f" + "00";

/** Everything up to the first entropy-coded byte. */
export function jpegHeader({ width, height, meanStep, detailStep }: JpegFrame): Uint8Array {
  const steps = new Uint8Array(1 + ZIGZAG_LENGTH).fill(detailStep);
  // Table number 0, of eight bits each.
  steps[0] = 0;
  steps[1] = meanStep;
  const frame = [8, height >> 8, height & 0xff, width >> 8, width & 0xff, 3];
  return joined([
    Uint8Array.of(0xff, 0xd8),
    segment(0xe0, Uint8Array.fromHex(JFIF)),
    segment(0xdb, steps),
    segment(0xc0, joined([Uint8Array.from(frame), Uint8Array.fromHex(COMPONENTS)])),
    segment(0xc4, joined([huffmanTable(0x00, DC_TABLE), huffmanTable(0x10, AC_TABLE)])),
    segment(0xda, Uint8Array.fromHex(SCAN)),
  ]);
}

/** A table with `id`: its class in the high four bits, its number in the low ones. */
function huffmanTable(id: number, { counts, symbols }: HuffmanTable): Uint8Array {
  return joined([Uint8Array.of(id), counts, symbols]);
}

function segment(marker: number, body: Uint8Array): Uint8Array {
  // The length counts itself.
  const length = body.length + 2;
  return joined([Uint8Array.of(0xff, marker, length >> 8, length & 0xff), body]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let filled = 0;
  for (const part of parts) {
    whole.set(part, filled);
    filled += part.length;
  }
  return whole;
}
