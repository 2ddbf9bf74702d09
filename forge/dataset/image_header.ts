/**
 * What the headers of a JPEG or PNG say, and whether the file goes on to its end. Pixels are not
 * decoded: this finds files that are cut, empty or no images at all, at the speed of reading them.
 */
import { crc32 } from "node:zlib";

/** An image as its headers describe it; sides in pixels, never 0. */
export interface ImageHeader {
  readonly format: "jpeg" | "png";
  readonly width: number;
  readonly height: number;
}

/** Why bytes are no image that can be decoded, as the end of a sentence about them. */
export class ImageError extends Error {
  override readonly name = "ImageError";
}

const PNG_SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
/** Length of a PNG chunk besides its body: length, type and checksum. */
const CHUNK_FRAME_BYTES = 12;
const IHDR_BYTES = 13;
/** Largest length that PNG allows, and largest side. */
const PNG_NUMBER_MAX = 2 ** 31 - 1;

/** JPEG markers by their second byte (ITU-T T.81 table B.1). */
const START_OF_IMAGE = 0xd8;
const END_OF_IMAGE = 0xd9;
const START_OF_SCAN = 0xda;
/** Markers of frames, but for the three among them that mean something else. */
const FRAME_FIRST = 0xc0;
const FRAME_LAST = 0xcf;
const NO_FRAMES: ReadonlySet<number> = new Set([0xc4, 0xc8, 0xcc]);
/** Markers that stand alone, without a length. */
const RESTART_FIRST = 0xd0;
const RESTART_LAST = 0xd7;
const TEMPORARY = 0x01;

/**
 * Reads the headers of `bytes`, a whole file.
 *
 * @throws {ImageError} when it is no JPEG or PNG, or is damaged or cut short.
 */
export function readImageHeader(bytes: Uint8Array): ImageHeader {
  if (bytes.length === 0) throw new ImageError("the image is empty");
  if (bytes[0] === 0xff && bytes[1] === START_OF_IMAGE) return readJpeg(bytes);
  if (PNG_SIGNATURE.every((byte, index) => bytes[index] === byte)) return readPng(bytes);
  const found = bytes.subarray(0, 4).toHex();
  throw new ImageError(`the image is neither JPEG nor PNG: it begins with ${found}`);
}

function readJpeg(bytes: Uint8Array): ImageHeader {
  const view = viewOf(bytes);
  let frame: ImageHeader | null = null;
  let offset = 2;
  while (true) {
    if (offset + 4 > bytes.length) throw new ImageError("the JPEG is cut short in its headers");
    if (bytes[offset] !== 0xff) throw new ImageError(`the JPEG has no marker at byte ${offset}`);
    const marker = view.getUint8(offset + 1);
    // Any number of 0xff may stand before a marker.
    if (marker === 0xff) {
      offset += 1;
      continue;
    }
    if (marker === TEMPORARY || (marker >= RESTART_FIRST && marker <= RESTART_LAST)) {
      offset += 2;
      continue;
    }
    if (marker === END_OF_IMAGE) throw new ImageError("the JPEG holds no picture");
    const length = view.getUint16(offset + 2);
    const end = offset + 2 + length;
    if (length < 2) throw new ImageError(`the JPEG has a damaged segment at byte ${offset}`);
    if (end > bytes.length) throw new ImageError("the JPEG is cut short in its headers");
    if (marker === START_OF_SCAN) {
      if (frame === null) throw new ImageError("the JPEG has a scan before its frame");
      refuseJpegWithoutEnd(bytes, end);
      return frame;
    }
    if (marker >= FRAME_FIRST && marker <= FRAME_LAST && !NO_FRAMES.has(marker)) {
      frame = frameOf(view, offset, length);
    }
    offset = end;
  }
}

function frameOf(view: DataView, offset: number, length: number): ImageHeader {
  if (length < 8) throw new ImageError(`the JPEG has a damaged segment at byte ${offset}`);
  const height = view.getUint16(offset + 5);
  const width = view.getUint16(offset + 7);
  if (width === 0 || height === 0) throw new ImageError(`the JPEG is ${width}x${height} pixels`);
  return { format: "jpeg", width, height };
}

/** Cameras and editors write more behind the end, so it need not be the last thing in the file. */
function refuseJpegWithoutEnd(bytes: Uint8Array, from: number): void {
  let at = bytes.length;
  while (at > from) {
    at = bytes.lastIndexOf(END_OF_IMAGE, at - 1);
    if (at <= from) break;
    if (bytes[at - 1] === 0xff) return;
  }
  throw new ImageError("the JPEG is cut short: it has no mark of its end");
}

function readPng(bytes: Uint8Array): ImageHeader {
  const view = viewOf(bytes);
  const body = PNG_SIGNATURE.length + 8;
  if (bytes.length < PNG_SIGNATURE.length + CHUNK_FRAME_BYTES + IHDR_BYTES) {
    throw new ImageError("the PNG is cut short in its header");
  }
  const isHeader = view.getUint32(body - 8) === IHDR_BYTES && chunkType(bytes, body - 4) === "IHDR";
  if (!isHeader) throw new ImageError("the PNG does not begin with its header");
  const checked = bytes.subarray(body - 4, body + IHDR_BYTES);
  if (crc32(checked) !== view.getUint32(body + IHDR_BYTES)) {
    throw new ImageError("the header of the PNG does not match its checksum");
  }
  const width = view.getUint32(body);
  const height = view.getUint32(body + 4);
  const usable = (side: number) => side > 0 && side <= PNG_NUMBER_MAX;
  if (!usable(width) || !usable(height)) {
    throw new ImageError(`the PNG is ${width}x${height} pixels`);
  }
  refusePngWithoutEnd(bytes, view);
  return { format: "png", width, height };
}

/** Walks from chunk to chunk up to the last one. */
function refusePngWithoutEnd(bytes: Uint8Array, view: DataView): void {
  let offset = PNG_SIGNATURE.length;
  let hasPixels = false;
  while (offset + CHUNK_FRAME_BYTES <= bytes.length) {
    const type = chunkType(bytes, offset + 4);
    if (type === "IEND") {
      if (!hasPixels) throw new ImageError("the PNG holds no picture");
      return;
    }
    hasPixels ||= type === "IDAT";
    offset += CHUNK_FRAME_BYTES + view.getUint32(offset);
  }
  throw new ImageError("the PNG is cut short: it has no mark of its end");
}

function chunkType(bytes: Uint8Array, offset: number): string {
  return String.fromCharCode(...bytes.subarray(offset, offset + 4));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
