/**
 * Draws images directly as what a JPEG stores of them: the mean values of its blocks come from a
 * picture, all other coefficients are grain. Nothing has to be transformed, only Huffman coded,
 * which takes a tenth of a millisecond or two where a JPEG encoder takes twenty.
 */
import { assert } from "../../cache/platform/assert.ts";
import type { Xoshiro128 } from "../../cache/platform/random.ts";
import { BitWriter } from "./bit_writer.ts";
import {
  AC_TABLE,
  DC_TABLE,
  extraBits,
  type HuffmanCodes,
  huffmanCodes,
  sizeOf,
} from "./huffman.ts";
import { jpegHeader } from "./jpeg_header.ts";
import { drawPicture, type Picture } from "./picture.ts";

/** Pixels along one side of a block, and of the four blocks that share their colour. */
const BLOCK = 8;
const UNIT = 16;
const COEFFICIENTS = 64;
/** One step of a mean value is one level. */
const MEAN_STEP = 8;
/** Largest coefficient of each strength of grain is 2^strength - 1. */
const STRENGTH_MAX = 7;
/** Steps of one coefficient, by strength: stronger grain is finer, as in JPEGs of high quality. */
const DETAIL_STEPS: readonly number[] = [0, 24, 12, 6, 3, 2, 1, 1];
/** Part of a block's coefficients that grain fills before the next strength is taken. */
const FILLED = 0.6;
/** Longest run of zeros before a coefficient, and the symbol of that run and one more zero. */
const RUN_MAX = 15;
const ZERO_RUN = 0xf0;
const BLOCK_END = 0x00;
/** Added to a coefficient to index a table with it. */
const BIAS = 128;
/** Images of a set differ in size by this part of the mean, up and down. */
const SIZE_SPREAD = 0.5;

/** What all images of a set have in common. */
export interface ImageSettings {
  readonly width: number;
  readonly height: number;
  readonly classes: number;
  /** Bytes of a mean image; each has half to one and a half times as many, header apart. */
  readonly meanBytes: number;
}

/** Where images come from. */
export type RandomNumbers = Pick<Xoshiro128, "next" | "below" | "fraction">;

/** Draws the images of a set. */
export class SyntheticJpegs {
  readonly #settings: ImageSettings;
  readonly #dc = huffmanCodes(DC_TABLE);
  readonly #ac = huffmanCodes(AC_TABLE);
  /** Code and extra bits of each coefficient behind each run of zeros, as one number. */
  readonly #details: HuffmanCodes;
  readonly #strengths: readonly Strength[];
  readonly #buffer: Uint8Array<ArrayBuffer>;
  readonly #headerBytes: number;

  constructor(settings: ImageSettings) {
    this.#settings = settings;
    this.#details = detailCodes(this.#ac);
    this.#strengths = DETAIL_STEPS.slice(1).map((detailStep, index) =>
      strengthOf(index + 1, detailStep, settings, this.#details)
    );
    this.#headerBytes = this.#strengths[0]?.header.length ?? 0;
    // Twice for bytes that all need stuffing; a block without grain takes less than 8.
    const blocks = 6 * Math.ceil(settings.width / UNIT) * Math.ceil(settings.height / UNIT);
    const payloadMax = settings.meanBytes * (1 + SIZE_SPREAD) + blocks * 8;
    this.#buffer = new Uint8Array(Math.ceil(this.#headerBytes + payloadMax * 2));
  }

  /** An image of class `label`, as a whole file. */
  draw(label: number, random: RandomNumbers): Uint8Array<ArrayBuffer> {
    const { classes, meanBytes } = this.#settings;
    assert(label >= 0 && label < classes, "The class is one of the set");
    const picture = drawPicture(label, classes, random);
    const mean = Math.max(0, meanBytes - this.#headerBytes);
    const payload = mean * (1 - SIZE_SPREAD + 2 * SIZE_SPREAD * random.fraction());
    const strength = this.#strengthFor(payload);
    this.#buffer.set(strength.header);
    const writer = new BitWriter(this.#buffer.subarray(strength.header.length));
    this.#scan(writer, picture, new Grain(writer, this.#details, strength.levels, random), payload);
    const end = strength.header.length + writer.finish();
    const file = this.#buffer.slice(0, end + 2);
    file.set([0xff, 0xd9], end);
    return file;
  }

  /** The weakest grain that fills an image of `payload` bytes. */
  #strengthFor(payload: number): Strength {
    const found = this.#strengths.find(({ payloadBytes }) => payloadBytes >= payload) ??
      this.#strengths.at(-1);
    assert(found !== undefined, "There is a strongest grain");
    return found;
  }

  /** Writes all blocks: four of brightness, one of each colour, and so on (A.2.3). */
  #scan(writer: BitWriter, picture: Picture, grain: Grain, payload: number): void {
    const across = Math.ceil(this.#settings.width / UNIT);
    const units = across * Math.ceil(this.#settings.height / UNIT);
    const endOfBlock = this.#ac.bits[BLOCK_END] ?? 0;
    let luma = 0;
    let blue = 0;
    let red = 0;
    for (let unit = 0; unit < units; unit += 1) {
      const left = unit % across * UNIT;
      const top = Math.floor(unit / across) * UNIT;
      for (let block = 0; block < 4; block += 1) {
        const x = left + (block & 1) * BLOCK + BLOCK / 2;
        const y = top + (block >> 1) * BLOCK + BLOCK / 2;
        const level = picture.luma(x, y);
        this.#mean(writer, level - luma);
        luma = level;
        const limitBits = payload * 8 * (unit * 4 + block + 1) / (units * 4);
        if (!grain.fill(limitBits)) writer.put(this.#ac.codes[BLOCK_END] ?? 0, endOfBlock);
      }
      this.#mean(writer, picture.blue - blue);
      writer.put(this.#ac.codes[BLOCK_END] ?? 0, endOfBlock);
      this.#mean(writer, picture.red - red);
      writer.put(this.#ac.codes[BLOCK_END] ?? 0, endOfBlock);
      blue = picture.blue;
      red = picture.red;
    }
  }

  /** Writes by how much a mean value differs from that of the block before. */
  #mean(writer: BitWriter, difference: number): void {
    const size = sizeOf(difference);
    writer.put(this.#dc.codes[size] ?? 0, this.#dc.bits[size] ?? 0);
    writer.put(extraBits(difference), size);
  }
}

/** Grain of one strength. */
interface Strength {
  readonly header: Uint8Array;
  /** A coefficient for each random byte. */
  readonly levels: Int8Array<ArrayBuffer>;
  /** What an image that it fills has beyond its header. */
  readonly payloadBytes: number;
}

function strengthOf(
  strength: number,
  detailStep: number,
  { width, height }: ImageSettings,
  details: HuffmanCodes,
): Strength {
  assert(strength <= STRENGTH_MAX, "Coefficients fit the tables");
  const largest = 2 ** strength - 1;
  const levels = Int8Array.from({ length: 256 }, (_, byte) => byte % (2 * largest + 1) - largest);
  const bits = levels.reduce((sum, level) => sum + (details.bits[level + BIAS] ?? 0), 0) / 256;
  const blocks = 4 * Math.ceil(width / UNIT) * Math.ceil(height / UNIT);
  return {
    header: jpegHeader({ width, height, meanStep: MEAN_STEP, detailStep }),
    levels,
    payloadBytes: blocks * COEFFICIENTS * FILLED * bits / 8,
  };
}

/** Fills blocks with random coefficients, from low frequencies to high ones. */
class Grain {
  readonly #writer: BitWriter;
  readonly #details: HuffmanCodes;
  readonly #levels: Int8Array<ArrayBuffer>;
  readonly #random: RandomNumbers;

  constructor(
    writer: BitWriter,
    details: HuffmanCodes,
    levels: Int8Array<ArrayBuffer>,
    random: RandomNumbers,
  ) {
    this.#writer = writer;
    this.#details = details;
    this.#levels = levels;
    this.#random = random;
  }

  /**
   * Writes coefficients of one block until `limitBits` are written in all. Whether the last
   * coefficient of the block is among them: else the block's end has to be marked.
   */
  fill(limitBits: number): boolean {
    const { codes, bits } = this.#details;
    let run = 0;
    let position = 1;
    while (position < COEFFICIENTS && this.#writer.writtenBits < limitBits) {
      let drawn = this.#random.next();
      for (let part = 0; part < 4 && position < COEFFICIENTS; part += 1) {
        const level = this.#levels[drawn & 0xff] ?? 0;
        drawn >>>= 8;
        position += 1;
        if (level === 0) {
          run += 1;
          continue;
        }
        while (run > RUN_MAX) {
          this.#writer.put(codes[ZERO_RUN_INDEX] ?? 0, bits[ZERO_RUN_INDEX] ?? 0);
          run -= RUN_MAX + 1;
        }
        const index = run * 256 + level + BIAS;
        this.#writer.put(codes[index] ?? 0, bits[index] ?? 0);
        run = 0;
      }
    }
    return position === COEFFICIENTS && run === 0;
  }
}

/** Where the table of {@linkcode detailCodes} has the run of sixteen zeros. */
const ZERO_RUN_INDEX = RUN_MAX * 256 + BIAS;

/** Code and extra bits of a coefficient: at `run * 256 + coefficient + BIAS`. */
function detailCodes(ac: HuffmanCodes): HuffmanCodes {
  const codes = new Uint32Array((RUN_MAX + 1) * 256);
  const bits = new Uint8Array(codes.length);
  for (let run = 0; run <= RUN_MAX; run += 1) {
    for (let level = 1 - BIAS; level < BIAS; level += 1) {
      if (level === 0) continue;
      const size = sizeOf(level);
      const symbol = run * 16 + size;
      const index = run * 256 + level + BIAS;
      codes[index] = ((ac.codes[symbol] ?? 0) << size) | extraBits(level);
      bits[index] = (ac.bits[symbol] ?? 0) + size;
    }
  }
  codes[ZERO_RUN_INDEX] = ac.codes[ZERO_RUN] ?? 0;
  bits[ZERO_RUN_INDEX] = ac.bits[ZERO_RUN] ?? 0;
  return { codes, bits };
}
