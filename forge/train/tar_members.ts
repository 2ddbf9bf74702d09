/**
 * The members of a tar archive, front to back, with what each is to a training set: WebDataset
 * keeps what belongs together under one path up to the first dot of the name.
 */
import { pipeline } from "node:stream";
import { extract, type ExtractEvents } from "tar-stream";
import { assert } from "../../cache/platform/assert.ts";
import { describeError } from "../../cache/platform/log.ts";

/** A member larger than this is no image of a training set. */
export const MEMBER_BYTES_MAX = 64 * 1024 * 1024;
/** Unit of a tar archive, and size of a member's header. */
const BLOCK_BYTES = 512;
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
  readonly read: () => Promise<Uint8Array>;
}

/** A member as the archive's reader hands it over: its header, and its bytes as a stream. */
type Entry = ExtractEvents["entry"][1];

/**
 * The members of the archive whose bytes are `chunks`. What is not read is passed over.
 *
 * @throws {ShardError} when the archive is cut short or damaged.
 */
export async function* tarMembers(chunks: Iterable<Uint8Array>): AsyncGenerator<OpenMember> {
  const source = new CountedChunks(chunks);
  const archive = extract();
  // Its failures come out of the archive, too, where they are dealt with.
  pipeline(source, archive, () => {});
  let last: Member | null = null;
  const entries = archive[Symbol.asyncIterator]();
  while (true) {
    const entry: Entry | null = await nextEntry(entries, last, source);
    if (entry === null) break;
    const member = memberOf(entry);
    last = member;
    let isRead = false;
    yield {
      member,
      read() {
        isRead = true;
        return bodyOf(entry, member, source);
      },
    };
    if (!isRead) entry.resume();
  }
  refuseCut(source.bytes, last);
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
async function nextEntry(
  entries: AsyncIterator<Entry>,
  last: Member | null,
  source: CountedChunks,
): Promise<Entry | null> {
  try {
    const { done, value } = await entries.next();
    return done === true ? null : value;
  } catch (error) {
    if (source.failure !== null) throw unreadable(source, source.failure);
    const place = last === null ? "at its start" : `at byte ${last.endBytes}, after "${last.name}"`;
    const message = `damaged or cut short ${place}: ${describeError(error)}`;
    throw new ShardError(message, last?.endBytes ?? 0, { cause: error });
  }
}

function memberOf({ header, offset }: Entry): Member {
  const { name, size } = header;
  const slash = name.lastIndexOf("/") + 1;
  const dot = name.indexOf(".", slash);
  const extension = dot < 0 ? "" : name.slice(dot + 1).toLowerCase();
  return {
    name,
    key: dot < 0 ? name : name.slice(0, dot),
    part: header.type !== "file" ? "other" : partOf(extension),
    sizeBytes: size,
    offsetBytes: offset,
    endBytes: offset + (1 + Math.ceil(size / BLOCK_BYTES)) * BLOCK_BYTES,
  };
}

function partOf(extension: string): Member["part"] {
  if (IMAGES.has(extension)) return "image";
  return extension === "cls" ? "label" : "other";
}

async function bodyOf(
  entry: Entry,
  member: Member,
  source: CountedChunks,
): Promise<Uint8Array> {
  const { sizeBytes } = member;
  if (sizeBytes > MEMBER_BYTES_MAX) {
    entry.resume();
    throw wrongMember(member, `it holds ${sizeBytes} bytes, too many for a sample`);
  }
  const bytes = new Uint8Array(sizeBytes);
  let filled = 0;
  try {
    for await (const part of entry) {
      assert(part instanceof Uint8Array, "A member comes in bytes");
      bytes.set(part, filled);
      filled += part.length;
    }
  } catch (error) {
    if (source.failure !== null) throw unreadable(source, source.failure);
    if (!source.isDone) throw error;
    // Not `filled`: the reader throws away what it holds when its source ends too early.
    const there = Math.max(0, source.bytes - member.offsetBytes - BLOCK_BYTES);
    const count = Math.min(there, sizeBytes);
    throw wrongMember(member, `it is cut short after ${count} of ${sizeBytes} bytes`);
  }
  return bytes;
}

/** The file system failed, and not the archive. */
function unreadable({ bytes }: CountedChunks, failure: Error): ShardError {
  const message = `it cannot be read behind byte ${bytes}: ${describeError(failure)}`;
  return new ShardError(message, bytes, { cause: failure });
}

/** An archive ends with blocks of zeros: one that does not was cut between two members. */
function refuseCut(bytes: number, last: Member | null): void {
  const end = last?.endBytes ?? 0;
  if (bytes >= end + BLOCK_BYTES) return;
  const message = `cut short: it ends at byte ${bytes} without the mark of an archive's end`;
  throw new ShardError(message, bytes);
}

/** Chunks, how many bytes they were, and how they ended. */
class CountedChunks implements Iterable<Uint8Array> {
  readonly #chunks: Iterable<Uint8Array>;
  bytes = 0;
  isDone = false;
  failure: Error | null = null;

  constructor(chunks: Iterable<Uint8Array>) {
    this.#chunks = chunks;
  }

  *[Symbol.iterator](): Generator<Uint8Array> {
    try {
      for (const chunk of this.#chunks) {
        this.bytes += chunk.length;
        yield chunk;
      }
      this.isDone = true;
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error));
      throw error;
    }
  }
}
