/**
 * Headers of tar archives: the original format, POSIX (ustar and pax) and GNU's extensions, as in
 * POSIX.1-2017 `pax` and in GNU's tar.h. Pure.
 */

/** Unit of an archive, and size of a header. */
export const BLOCK_BYTES = 512;

/** What follows a header. */
export type TarEntryKind =
  | "file"
  /** The path and the size of the next member, among other things. */
  | "pax"
  /** The name of the next member. */
  | "long name"
  /** Something else about the next member, or about all of them. */
  | "attribute"
  /** A directory, which has no bytes whatever its size is said to be. */
  | "directory"
  /** A link, a device, or something for other programs. */
  | "other";

/** A header of its own right. */
export interface TarHeader {
  readonly kind: TarEntryKind;
  readonly name: string;
  readonly sizeBytes: number;
}

/** Records of a pax header that say where a member is and how long. */
export interface PaxRecords {
  readonly path?: string;
  readonly size?: number;
}

/** What is wrong with a header, as the end of a sentence. */
export class TarHeaderError extends Error {
  override readonly name = "TarHeaderError";
}

/** First byte and length of a header's fields. */
const NAME = [0, 100] as const;
const SIZE = [124, 12] as const;
const CHECKSUM = [148, 8] as const;
const TYPE = 156;
const MAGIC = [257, 6] as const;
const PREFIX = [345, 155] as const;

const SPACE = 0x20;
const ZERO = 0x30;
const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * The header in `block`, which has {@linkcode BLOCK_BYTES}; null for zeros, which end an archive.
 *
 * @throws {TarHeaderError} when it is none.
 */
export function parseTarHeader(block: Uint8Array): TarHeader | null {
  const sum = sumOf(block);
  if (sum === CHECKSUM[1] * SPACE && block.every((byte) => byte === 0)) return null;
  if (numberAt(block, CHECKSUM) !== sum) throw new TarHeaderError("it is no header of an archive");
  const sizeBytes = numberAt(block, SIZE);
  if (sizeBytes === null) throw new TarHeaderError("the size of the next member is no number");
  const name = textAt(block, NAME);
  // GNU's magic goes on with a space, and has times where POSIX has the beginning of long paths.
  const prefix = textAt(block, MAGIC) === "ustar" ? textAt(block, PREFIX) : "";
  const path = prefix === "" ? name : `${prefix}/${name}`;
  return { kind: kindOf(block[TYPE] ?? 0, path), name: path, sizeBytes };
}

/**
 * The records in the body of a pax header: lines `LENGTH KEY=VALUE`.
 *
 * @throws {TarHeaderError} when they are none.
 */
export function parsePaxRecords(body: Uint8Array): PaxRecords {
  let path: string | undefined;
  let size: number | undefined;
  for (let start = 0; start < body.length;) {
    const space = body.indexOf(SPACE, start);
    const length = Number(UTF8.decode(body.subarray(start, Math.max(start, space))));
    const end = start + length;
    if (space < 0 || !(length > space - start) || end > body.length) {
      throw new TarHeaderError("the names in front of the next member are damaged");
    }
    const record = UTF8.decode(body.subarray(space + 1, end));
    const [, key, value = ""] = /^([^=]+)=(.*)\n$/s.exec(record) ?? [];
    if (key === "path") path = value;
    if (key === "size") size = sizeOf(value);
    start = end;
  }
  return { ...path === undefined ? {} : { path }, ...size === undefined ? {} : { size } };
}

function sizeOf(value: string): number {
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw new TarHeaderError("the size of the next member is no number");
}

/** The text in the body of a long name. */
export function longNameOf(body: Uint8Array): string {
  return textAt(body, [0, body.length]);
}

function kindOf(type: number, path: string): TarEntryKind {
  switch (String.fromCharCode(type)) {
    case "\0":
      // The original format had no directories, and marked them by their names.
      return path.endsWith("/") ? "directory" : "file";
    case "0":
    // A file that is contiguous on disk.
    case "7":
      return "file";
    case "5":
      return "directory";
    case "x":
      return "pax";
    case "L":
      return "long name";
    case "g":
    case "K":
      return "attribute";
    case "S":
      throw new TarHeaderError("the next member is a sparse file, which no training set has");
    default:
      return "other";
  }
}

/** The sum of all bytes, with spaces for the checksum itself. */
function sumOf(block: Uint8Array): number {
  let sum = CHECKSUM[1] * SPACE;
  for (let index = 0; index < BLOCK_BYTES; index += 1) sum += block[index] ?? 0;
  for (let index = 0; index < CHECKSUM[1]; index += 1) sum -= block[CHECKSUM[0] + index] ?? 0;
  return sum;
}

/** A number in octal digits, or in binary where the first bit is set; null when it is neither. */
function numberAt(block: Uint8Array, [start, length]: readonly [number, number]): number | null {
  const end = start + length;
  if (((block[start] ?? 0) & 0x80) !== 0) return binaryAt(block, start, end);
  let at = start;
  while (at < end && block[at] === SPACE) at += 1;
  let value = 0;
  for (; at < end; at += 1) {
    const digit = (block[at] ?? 0) - ZERO;
    // A space or zero ends it.
    if (digit === SPACE - ZERO || digit === -ZERO) break;
    if (digit < 0 || digit > 7) return null;
    value = value * 8 + digit;
  }
  return value;
}

function binaryAt(block: Uint8Array, start: number, end: number): number | null {
  let value = (block[start] ?? 0) & 0x7f;
  for (let at = start + 1; at < end; at += 1) value = value * 256 + (block[at] ?? 0);
  return Number.isSafeInteger(value) ? value : null;
}

/** The text up to the first zero. */
function textAt(block: Uint8Array, [start, length]: readonly [number, number]): string {
  const field = block.subarray(start, start + length);
  const end = field.indexOf(0);
  return UTF8.decode(end < 0 ? field : field.subarray(0, end));
}
