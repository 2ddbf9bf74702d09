/**
 * The members of a tar archive, front to back, with what each is to a training set: WebDataset
 * keeps what belongs together under one path up to the first dot of the name.
 */
import { describeError } from "../../cache/platform/log.ts";
import { ByteSource } from "./byte_source.ts";
import {
  BLOCK_BYTES,
  longNameOf,
  parsePaxRecords,
  parseTarHeader,
  type TarHeader,
  TarHeaderError,
} from "./tar_header.ts";

/** A member larger than this is no image of a training set. */
export const MEMBER_BYTES_MAX = 64 * 1024 * 1024;
/** What stands in front of a member, for long names, is never longer. */
const EXTENSION_BYTES_MAX = 1024 * 1024;
const IMAGES: ReadonlySet<string> = new Set(["jpg", "jpeg", "png"]);

/** What is wrong with an archive, and where in it. */
export class ShardError extends Error {
  override readonly name = "ShardError";

  /** @param offsetBytes Where the member or the damage begins; null where that is not known. */
  constructor(message: string, readonly offsetBytes: number | null, options: ErrorOptions = {}) {
    super(message, options);
  }
}

/** A member with what it is to its sample. */
export interface Member {
  readonly name: string;
  /** Its path without what follows the first dot of the name. */
  readonly key: string;
  readonly part: "image" | "label" | "other";
  readonly sizeBytes: number;
  /** Where its header begins. */
  readonly offsetBytes: number;
  /** Where the next header begins. */
  readonly endBytes: number;
}

/** A member whose bytes can be read now, before the next one is asked for. */
export interface OpenMember {
  readonly member: Member;
  /** @throws {ShardError} when there are too many of them, or the archive ends before they do. */
  readonly read: () => Uint8Array;
}

/**
 * The members of the archive whose bytes are `chunks`. What is not read is passed over.
 *
 * @throws {ShardError} when the archive is cut short or damaged, or its bytes cannot be read.
 */
export function* tarMembers(chunks: Iterable<Uint8Array>): Generator<OpenMember> {
  using source = new ByteSource(readable(chunks));
  let last: Member | null = null;
  while (true) {
    const member: Member | null = nextMember(source, last);
    if (member === null) return;
    last = member;
    let isRead = false;
    yield {
      member,
      read() {
        isRead = true;
        return bodyOf(member, source);
      },
    };
    if (!isRead) passOver(member, source);
    source.skip(member.endBytes - source.position);
  }
}

/** An error about `member`. */
export function wrongMember(
  { name, offsetBytes }: Member,
  what: string,
  cause?: unknown,
): ShardError {
  const message = `member "${name}" at byte ${offsetBytes}: ${what}`;
  return new ShardError(message, offsetBytes, { cause });
}

/** The next member; null behind the last one. */
function nextMember(source: ByteSource, last: Member | null): Member | null {
  const block = new Uint8Array(BLOCK_BYTES);
  const startBytes = source.position;
  let hasEnded = false;
  let name: string | undefined;
  let size: number | undefined;
  try {
    while (true) {
      const offsetBytes = source.position;
      const count = source.read(block);
      if (count === 0 && hasEnded) return null;
      if (count === 0 && offsetBytes === startBytes) throw withoutEnd(source);
      if (count < BLOCK_BYTES) throw new TarHeaderError("it ends within a header");
      const header = parseTarHeader(block);
      // Zeros end an archive, and may be followed by another one.
      hasEnded = header === null;
      if (header === null) continue;
      const { kind, sizeBytes } = header;
      switch (kind) {
        case "pax": {
          const records = parsePaxRecords(extensionOf(sizeBytes, source));
          name = records.path ?? name;
          size = records.size ?? size;
          break;
        }
        case "long name":
          name = longNameOf(extensionOf(sizeBytes, source));
          break;
        case "attribute":
          extensionOf(sizeBytes, source);
          break;
        default:
          return memberOf({
            kind,
            name: name ?? header.name,
            sizeBytes: kind === "directory" ? 0 : size ?? sizeBytes,
          }, offsetBytes);
      }
    }
  } catch (error) {
    if (!(error instanceof TarHeaderError)) throw error;
    const place = last === null ? "at its start" : `at byte ${startBytes}, after "${last.name}"`;
    throw new ShardError(`damaged or cut short ${place}: ${error.message}`, startBytes, {
      cause: error,
    });
  }
}

/** What stands between a header and the member it belongs to. */
function extensionOf(sizeBytes: number, source: ByteSource): Uint8Array {
  if (sizeBytes > EXTENSION_BYTES_MAX) {
    throw new TarHeaderError("what is said of a member is too long");
  }
  const body = new Uint8Array(sizeBytes);
  const padding = paddedBytes(sizeBytes) - sizeBytes;
  if (source.read(body) < sizeBytes || source.skip(padding) < padding) {
    throw new TarHeaderError("it ends within what is said of a member");
  }
  return body;
}

function memberOf(
  { kind, name, sizeBytes }: TarHeader,
  offsetBytes: number,
): Member {
  const slash = name.lastIndexOf("/") + 1;
  const dot = name.indexOf(".", slash);
  const extension = dot < 0 ? "" : name.slice(dot + 1).toLowerCase();
  return {
    name,
    key: dot < 0 ? name : name.slice(0, dot),
    part: kind === "file" ? partOf(extension) : "other",
    sizeBytes,
    offsetBytes,
    endBytes: offsetBytes + BLOCK_BYTES + paddedBytes(sizeBytes),
  };
}

function partOf(extension: string): Member["part"] {
  if (IMAGES.has(extension)) return "image";
  return extension === "cls" ? "label" : "other";
}

function bodyOf(member: Member, source: ByteSource): Uint8Array {
  const { sizeBytes } = member;
  if (sizeBytes > MEMBER_BYTES_MAX) {
    throw wrongMember(member, `it holds ${sizeBytes} bytes, too many for a sample`);
  }
  const bytes = new Uint8Array(sizeBytes);
  refuseCut(member, source.read(bytes));
  return bytes;
}

function passOver(member: Member, source: ByteSource): void {
  refuseCut(member, source.skip(member.sizeBytes));
}

function refuseCut(member: Member, count: number): void {
  if (count === member.sizeBytes) return;
  throw wrongMember(member, `it is cut short after ${count} of ${member.sizeBytes} bytes`);
}

/** Archives end with blocks of zeros: one that does not was cut between two members. */
function withoutEnd({ position }: ByteSource): ShardError {
  const message = `cut short: it ends at byte ${position} without the mark of an archive's end`;
  return new ShardError(message, position);
}

/** Members begin at multiples of a block. */
function paddedBytes(bytes: number): number {
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
}

/** `chunks`, whose failure is one of the file system and not of the archive. */
function* readable(chunks: Iterable<Uint8Array>): Generator<Uint8Array> {
  let bytes = 0;
  try {
    for (const chunk of chunks) {
      yield chunk;
      bytes += chunk.length;
    }
  } catch (cause) {
    const message = `it cannot be read behind byte ${bytes}: ${describeError(cause)}`;
    throw new ShardError(message, bytes, { cause });
  }
}
