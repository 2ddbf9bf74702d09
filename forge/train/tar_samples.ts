/**
 * The samples of a tar archive, by WebDataset's rule: members that share a path up to the first dot
 * of their name belong together. A sample needs an image (`.jpg`, `.jpeg`, `.png`) and a label
 * (`.cls`, a whole number); other members are passed over.
 */
import { pipeline } from "node:stream";
import { extract, type ExtractEvents } from "tar-stream";
import { assert } from "../../cache/platform/assert.ts";
import { describeError } from "../../cache/platform/log.ts";

/** Samples of which only one half was seen so far. */
const HALVES_MAX = 1_024;
/** A member larger than this is no image of a training set. */
const MEMBER_BYTES_MAX = 64 * 1024 * 1024;
/** Unit of a tar archive, and size of a member's header. */
const BLOCK_BYTES = 512;
const IMAGES: ReadonlySet<string> = new Set(["jpg", "jpeg", "png"]);

/** An image with its class. */
export interface Sample {
  /** Path of its members without what follows the first dot of the name. */
  readonly key: string;
  /** Not empty. */
  readonly image: Uint8Array;
  readonly label: number;
}

/** What is wrong with an archive, and where in it. */
export class ShardError extends Error {
  override readonly name = "ShardError";
}

/** A member as the archive's reader hands it over: its header, and its bytes as a stream. */
type Entry = ExtractEvents["entry"][1];

/** A member with what it is to its sample. */
interface Member {
  readonly name: string;
  readonly key: string;
  readonly part: "image" | "label" | "other";
  /** Where its header begins. */
  readonly offsetBytes: number;
  /** Where the next header begins. */
  readonly endBytes: number;
}

/** The half of a sample that came first. */
type Half =
  | { readonly part: "image"; readonly member: Member; readonly image: Uint8Array }
  | { readonly part: "label"; readonly member: Member; readonly label: number };

/**
 * The samples of the archive whose bytes are `chunks`, in the order in which they become complete.
 *
 * @throws {ShardError} when the archive is cut short or damaged, or a sample is incomplete.
 */
export async function* tarSamples(chunks: Iterable<Uint8Array>): AsyncGenerator<Sample> {
  const source = new CountedChunks(chunks);
  const archive = extract();
  // Its failures come out of the archive, too, where they are dealt with.
  pipeline(source, archive, () => {});
  const halves = new Map<string, Half>();
  let last: Member | null = null;
  const members = archive[Symbol.asyncIterator]();
  while (true) {
    const entry: Entry | null = await nextEntry(members, last);
    if (entry === null) break;
    last = memberOf(entry);
    const bytes = await bodyOf(entry, last);
    if (bytes === null) continue;
    const sample = paired(halves, halfOf(last, bytes));
    if (sample !== null) yield sample;
  }
  refuseCut(source.bytes, last);
  refuseLeftovers(halves);
}

/** The next member; null behind the last one. */
async function nextEntry(
  members: AsyncIterator<Entry>,
  last: Member | null,
): Promise<Entry | null> {
  try {
    const { done, value } = await members.next();
    return done === true ? null : value;
  } catch (error) {
    const place = last === null ? "at its start" : `at byte ${last.endBytes}, after "${last.name}"`;
    throw new ShardError(`damaged or cut short ${place}: ${describeError(error)}`, {
      cause: error,
    });
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
    offsetBytes: offset,
    endBytes: offset + (1 + Math.ceil(size / BLOCK_BYTES)) * BLOCK_BYTES,
  };
}

function partOf(extension: string): Member["part"] {
  if (IMAGES.has(extension)) return "image";
  return extension === "cls" ? "label" : "other";
}

/** The bytes of a member that is half of a sample; null for any other, which is passed over. */
async function bodyOf(entry: Entry, member: Member): Promise<Uint8Array | null> {
  if (member.part === "other") {
    entry.resume();
    return null;
  }
  const { size } = entry.header;
  if (size > MEMBER_BYTES_MAX) throw wrong(member, `it holds ${size} bytes, too many for a sample`);
  const bytes = new Uint8Array(size);
  let filled = 0;
  try {
    for await (const part of entry) {
      assert(part instanceof Uint8Array, "A member comes in bytes");
      bytes.set(part, filled);
      filled += part.length;
    }
  } catch (error) {
    throw wrong(member, `it is cut short after ${filled} of ${size} bytes`, error);
  }
  return bytes;
}

function halfOf(member: Member, bytes: Uint8Array): Half {
  if (member.part === "image") {
    if (bytes.length === 0) throw wrong(member, "the image is empty");
    return { part: "image", member, image: bytes };
  }
  const text = new TextDecoder().decode(bytes).trim();
  if (!/^[+-]?\d{1,15}$/.test(text)) {
    throw wrong(member, `wanted a whole number, found ${JSON.stringify(text.slice(0, 40))}`);
  }
  return { part: "label", member, label: Number(text) };
}

/** The sample that `half` completes; null when it has to wait. */
function paired(halves: Map<string, Half>, half: Half): Sample | null {
  const { key } = half.member;
  const other = halves.get(key);
  if (other === undefined) {
    if (halves.size >= HALVES_MAX) {
      throw wrong(half.member, `${HALVES_MAX} samples before it wait for their other half`);
    }
    halves.set(key, half);
    return null;
  }
  halves.delete(key);
  if (half.part === "image" && other.part === "label") {
    return { key, image: half.image, label: other.label };
  }
  if (half.part === "label" && other.part === "image") {
    return { key, image: other.image, label: half.label };
  }
  throw wrong(half.member, `sample "${key}" has a second ${half.part}`);
}

/** An archive ends with blocks of zeros: one that does not was cut between two members. */
function refuseCut(bytes: number, last: Member | null): void {
  const end = last?.endBytes ?? 0;
  if (bytes >= end + BLOCK_BYTES) return;
  throw new ShardError(`cut short: it ends at byte ${bytes} without the mark of an archive's end`);
}

function refuseLeftovers(halves: ReadonlyMap<string, Half>): void {
  const [first] = halves.values();
  if (first === undefined) return;
  const missing = first.part === "image" ? "label (.cls)" : "image (.jpg, .jpeg, .png)";
  const others = halves.size === 1 ? "" : `, and ${halves.size - 1} more samples are incomplete`;
  throw wrong(first.member, `its sample has no ${missing}${others}`);
}

function wrong({ name, offsetBytes }: Member, what: string, cause?: unknown): ShardError {
  return new ShardError(`member "${name}" at byte ${offsetBytes}: ${what}`, { cause });
}

/** Chunks, and how many bytes they were. */
class CountedChunks implements Iterable<Uint8Array> {
  readonly #chunks: Iterable<Uint8Array>;
  bytes = 0;

  constructor(chunks: Iterable<Uint8Array>) {
    this.#chunks = chunks;
  }

  *[Symbol.iterator](): Generator<Uint8Array> {
    for (const chunk of this.#chunks) {
      this.bytes += chunk.length;
      yield chunk;
    }
  }
}
