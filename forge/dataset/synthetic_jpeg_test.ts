import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { decode } from "jpeg-js";
import { Xoshiro128 } from "../../cache/platform/random.ts";
import { readImageHeader } from "./image_header.ts";
import { drawPicture } from "./picture.ts";
import { type RandomNumbers, SyntheticJpegs } from "./synthetic_jpeg.ts";

interface Pixels {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue and opacity of each pixel. */
  readonly data: Uint8Array;
}

function pixelsOf(file: Uint8Array): Pixels {
  return decode(Buffer.from(file), { useTArray: true, tolerantDecoding: false });
}

/** Mean red, green and blue of the square of 8 pixels at (x, y). */
function meanOf({ width, data }: Pixels, x: number, y: number): [number, number, number] {
  const sums: [number, number, number] = [0, 0, 0];
  for (let pixel = 0; pixel < 64; pixel += 1) {
    const at = ((y + (pixel >> 3)) * width + x + (pixel & 7)) * 4;
    for (const channel of [0, 1, 2] as const) sums[channel] += data[at + channel] ?? NaN;
  }
  return [sums[0] / 64, sums[1] / 64, sums[2] / 64];
}

/** By how much red and blue of a whole image are above its green. */
function tintOf(file: Uint8Array): readonly [number, number] {
  const { data } = pixelsOf(file);
  const mean = (channel: number) =>
    data.reduce((sum, value, at) => at % 4 === channel ? sum + value : sum, 0) / data.length * 4;
  return [mean(0) - mean(1), mean(2) - mean(1)];
}

/** Horizontal and vertical frequency of each coefficient of a block, in the order of the file. */
function zigzag(): readonly (readonly [number, number])[] {
  const places = Array.from({ length: 64 }, (_, index) => [index % 8, index >> 3] as const);
  // Diagonal by diagonal, up and down in turn.
  return places.sort(([x, y], [u, v]) => x + y - u - v || ((x + y) % 2 === 0 ? x - u : y - v));
}

/** How much the first block has of each frequency but 0, in the order of the file. */
function details({ width, data }: Pixels): readonly number[] {
  return zigzag().slice(1).map(([u, v]) => {
    let sum = 0;
    for (let pixel = 0; pixel < 64; pixel += 1) {
      const [x, y] = [pixel % 8, pixel >> 3];
      const wave = Math.cos((2 * x + 1) * u * Math.PI / 16) *
        Math.cos((2 * y + 1) * v * Math.PI / 16);
      sum += (data[(y * width + x) * 4 + 1] ?? NaN) * wave;
    }
    return Math.abs(sum) / (u === 0 || v === 0 ? Math.SQRT2 : 1);
  });
}

/** Numbers that make weak grain of zeros with a coefficient here and there. */
function sparse(every: number): RandomNumbers {
  let drawn = 0;
  return {
    below: (end) => Math.floor(end / 2),
    fraction: () => 0.5,
    next: () => {
      drawn += 1;
      // Of the three levels of weak grain 1 is for none, 2 for the largest.
      return drawn % every === 0 ? 0x01010102 : 0x01010101;
    },
  };
}

/** Fails unless every block of `file` has the mean brightness that its picture has there. */
function assertShows(file: Uint8Array, luma: (x: number, y: number) => number, slack: number) {
  const pixels = pixelsOf(file);
  for (let y = 0; y + 8 <= pixels.height; y += 8) {
    for (let x = 0; x + 8 <= pixels.width; x += 8) {
      const [red, green, blue] = meanOf(pixels, x, y);
      const brightness = 0.299 * red + 0.587 * green + 0.114 * blue;
      const wanted = 128 + luma(x + 4, y + 4);
      assert.ok(Math.abs(brightness - wanted) <= slack, `(${x}, ${y}): ${brightness}, ${wanted}`);
    }
  }
}

Deno.test("SyntheticJpegs draws files that a decoder takes, of any shape", () => {
  for (const [width, height] of [[224, 224], [640, 480], [33, 17], [8, 8], [100, 9]] as const) {
    const meanBytes = 512 + Math.round(width * height * 0.3);
    const jpegs = new SyntheticJpegs({ width, height, classes: 3, meanBytes });
    const file = jpegs.draw(2, Xoshiro128.seeded(7, 0));
    const pixels = pixelsOf(file);
    assert.deepEqual([pixels.width, pixels.height], [width, height]);
    assert.deepEqual(readImageHeader(file), { format: "jpeg", width, height });
  }
});

Deno.test("SyntheticJpegs decode to the picture they were drawn from, block by block", () => {
  const jpegs = new SyntheticJpegs({ width: 64, height: 48, classes: 10, meanBytes: 512 });
  for (let label = 0; label < 10; label += 1) {
    const { luma } = drawPicture(label, 10, Xoshiro128.seeded(label, 0));
    // The colours of some pixels lie outside of what a screen shows and are cut off.
    assertShows(jpegs.draw(label, Xoshiro128.seeded(label, 0)), luma, 12);
  }
});

Deno.test("SyntheticJpegs writes a coefficient where it belongs, behind any zeros", () => {
  const jpegs = new SyntheticJpegs({ width: 64, height: 64, classes: 4, meanBytes: 900 });
  for (const every of [1, 4, 5, 6, 9, 13, 16]) {
    const file = jpegs.draw(1, sparse(every));
    const { luma } = drawPicture(1, 4, sparse(every));
    assertShows(file, luma, 8);
    // Four are drawn at a time, and the first of them is the one.
    const found = details(pixelsOf(file));
    const strength = found[(every - 1) * 4] ?? 0;
    assert.ok(strength > Math.max(...found) / 2, `${every}: ${strength} of ${found}`);
  }
});

Deno.test("SyntheticJpegs draws about the bytes wanted, some images smaller, some larger", () => {
  for (const meanBytes of [4_000, 15_565, 50_000]) {
    const jpegs = new SyntheticJpegs({ width: 224, height: 224, classes: 10, meanBytes });
    const random = Xoshiro128.seeded(1, 0);
    const sizes = Array.from({ length: 100 }, () => jpegs.draw(3, random).length);
    const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
    assert.ok(Math.abs(mean / meanBytes - 1) < 0.1, `mean ${mean} of ${meanBytes}`);
    assert.ok(Math.min(...sizes) < meanBytes * 0.7 && Math.max(...sizes) > meanBytes * 1.3);
    assert.doesNotThrow(() => pixelsOf(jpegs.draw(3, random)));
  }
});

Deno.test("SyntheticJpegs gives each class a colour of its own", () => {
  const jpegs = new SyntheticJpegs({ width: 64, height: 64, classes: 10, meanBytes: 1_700 });
  const random = Xoshiro128.seeded(1, 0);
  const labels = Array.from({ length: 10 }, (_, label) => label);
  const first = labels.map((label) => tintOf(jpegs.draw(label, random)));
  for (const label of labels) {
    const [red, blue] = tintOf(jpegs.draw(label, random));
    const distances = first.map(([r, b]) => Math.hypot(r - red, b - blue));
    assert.equal(distances.indexOf(Math.min(...distances)), label);
  }
});

Deno.test("SyntheticJpegs draws the same bytes for a seed in every version", () => {
  const jpegs = new SyntheticJpegs({ width: 224, height: 224, classes: 10, meanBytes: 15_565 });
  const file = jpegs.draw(4, Xoshiro128.seeded(42, 0));
  const digest = createHash("sha256").update(file).digest("hex");
  assert.equal(
    `${file.length} ${digest}`,
    "8235 a4834be6b20547799c3776d7e4e53ec647af4257c68daf20d0c5ce51419d6ad7",
    "Data sets made before would differ: say so in the changelog before changing this",
  );
});
