/** The files that are read: the same bytes for the same seed, on the disk to be measured. */
import { Buffer } from "node:buffer";
import { createCipheriv, createHash } from "node:crypto";

/** Sizes of the sample. */
export interface SampleShape {
  /** The file that one reader reads. */
  readonly bigBytes: number;
  /** Files that many readers read, one each. */
  readonly shards: number;
  readonly shardBytes: number;
  /** A tree of small files. */
  readonly directories: number;
  readonly filesPerDirectory: number;
}

/** Where the files are, below whatever shows them. */
export const BIG = "big";
export const SHARDS = "shards";
export const TREE = "tree";

const CHUNK_BYTES = 8 * 1024 * 1024;

/** Writes the sample below `root`, in less memory than it has bytes. */
export async function writeSample(
  root: string,
  shape: SampleShape,
  seed: string,
  signal: AbortSignal,
): Promise<void> {
  await writeSeeded(`${root}/${BIG}`, shape.bigBytes, `${seed}/big`, signal);
  await Deno.mkdir(`${root}/${SHARDS}`);
  for (let index = 0; index < shape.shards; index += 1) {
    const path = `${root}/${SHARDS}/shard-${index}`;
    await writeSeeded(path, shape.shardBytes, `${seed}/shard-${index}`, signal);
  }
  const small = new TextEncoder().encode("A label, as small files often are.\n");
  for (let index = 0; index < shape.directories; index += 1) {
    signal.throwIfAborted();
    const directory = `${root}/${TREE}/${String(index).padStart(5, "0")}`;
    await Deno.mkdir(directory, { recursive: true });
    for (let file = 0; file < shape.filesPerDirectory; file += 1) {
      Deno.writeFileSync(`${directory}/sample-${String(file).padStart(5, "0")}.json`, small);
    }
  }
}

async function writeSeeded(
  path: string,
  bytes: number,
  seed: string,
  signal: AbortSignal,
): Promise<void> {
  const digest = createHash("sha256").update(seed).digest();
  const stream = createCipheriv("aes-128-ctr", digest.subarray(0, 16), digest.subarray(16));
  const zeros = Buffer.alloc(CHUNK_BYTES);
  using file = await Deno.open(path, { write: true, createNew: true });
  for (let left = bytes; left > 0;) {
    signal.throwIfAborted();
    let chunk: Uint8Array = stream.update(zeros.subarray(0, Math.min(left, CHUNK_BYTES)));
    left -= chunk.length;
    while (chunk.length > 0) chunk = chunk.subarray(await file.write(chunk));
  }
  await file.sync();
}

/** Reads the file at `path` once, so that its pages are in the page cache where they fit. */
export async function warmUp(path: string, signal: AbortSignal): Promise<void> {
  const buffer = new Uint8Array(CHUNK_BYTES);
  using file = await Deno.open(path);
  while (await file.read(buffer) !== null) signal.throwIfAborted();
}
