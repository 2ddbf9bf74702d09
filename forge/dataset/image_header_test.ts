import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { crc32, deflateSync } from "node:zlib";
import { Xoshiro128 } from "../../cache/platform/random.ts";
import { ImageError, readImageHeader } from "./image_header.ts";
import { SyntheticJpegs } from "./synthetic_jpeg.ts";

function jpeg(): Uint8Array<ArrayBuffer> {
  const jpegs = new SyntheticJpegs({ width: 24, height: 16, classes: 2, meanBytes: 600 });
  return jpegs.draw(1, Xoshiro128.seeded(1, 0));
}

function chunk(type: string, body: Uint8Array): Uint8Array {
  const whole = new Uint8Array(12 + body.length);
  const view = new DataView(whole.buffer);
  view.setUint32(0, body.length);
  whole.set(new TextEncoder().encode(type), 4);
  whole.set(body, 8);
  view.setUint32(8 + body.length, crc32(whole.subarray(4, 8 + body.length)));
  return whole;
}

/** A grey PNG with these sides in its header. */
function png(width: number, height: number): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(13);
  new DataView(header.buffer).setUint32(0, width);
  new DataView(header.buffer).setUint32(4, height);
  header[8] = 8;
  const rows = deflateSync(new Uint8Array(64));
  const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  const chunks = [chunk("IHDR", header), chunk("IDAT", rows), chunk("IEND", new Uint8Array(0))];
  return new Uint8Array(Buffer.concat([signature, ...chunks]));
}

function refused(bytes: Uint8Array, message: RegExp): void {
  assert.throws(() => readImageHeader(bytes), (error: unknown) => {
    assert.ok(error instanceof ImageError, String(error));
    assert.match(error.message, message);
    return true;
  });
}

/** `bytes` with `values` at `offset`. */
function patched(bytes: Uint8Array, offset: number, ...values: number[]): Uint8Array {
  const copy = bytes.slice();
  copy.set(values, offset);
  return copy;
}

/** Where the frame of a JPEG of ours begins. */
const FRAME = 2 + 18 + 69;

Deno.test("readImageHeader tells the sides of JPEG and PNG images", () => {
  assert.deepEqual(readImageHeader(jpeg()), { format: "jpeg", width: 24, height: 16 });
  assert.deepEqual(readImageHeader(png(3, 2)), { format: "png", width: 3, height: 2 });
});

Deno.test("readImageHeader takes progressive JPEGs, padding and what follows the end", () => {
  const size = { format: "jpeg", width: 24, height: 16 };
  assert.equal(jpeg()[FRAME + 1], 0xc0);
  assert.deepEqual(readImageHeader(patched(jpeg(), FRAME + 1, 0xc2)), size);
  assert.deepEqual(readImageHeader(Uint8Array.from([...jpeg(), 0, 0, 0x42])), size);
  const padded = [...jpeg().subarray(0, 2), 0xff, 0xff, ...jpeg().subarray(2)];
  assert.deepEqual(readImageHeader(Uint8Array.from(padded)), size);
});

Deno.test("readImageHeader refuses an image that is cut, wherever it is cut", () => {
  for (const whole of [jpeg(), png(3, 2)]) {
    for (let length = 0; length < whole.length; length += 1) {
      assert.throws(() => readImageHeader(whole.subarray(0, length)), ImageError, String(length));
    }
  }
  refused(new Uint8Array(0), /^the image is empty$/);
  refused(jpeg().subarray(0, -2), /cut short: it has no mark of its end/);
});

Deno.test("readImageHeader says what is wrong with damaged headers", () => {
  refused(new TextEncoder().encode("<html>"), /neither JPEG nor PNG: it begins with 3c68746d/);
  refused(patched(jpeg(), FRAME, 0), /no marker at byte 89/);
  refused(patched(jpeg(), FRAME + 2, 0, 1), /damaged segment at byte 89/);
  refused(patched(jpeg(), FRAME + 1, 0xda), /scan before its frame/);
  refused(patched(jpeg(), FRAME + 1, 0xd9), /holds no picture/);
  refused(patched(jpeg(), FRAME + 5, 0, 0), /24x0 pixels/);
  refused(patched(png(3, 2), 19, 9), /does not match its checksum/);
  refused(patched(png(3, 2), 12, 0x4a), /does not begin with its header/);
  refused(png(0, 2), /0x2 pixels/);
  refused(png(2 ** 31, 2), /2147483648x2 pixels/);
});
