/**
 * The files of the demo, the same bytes for the same seed: tar shards as WebDataset lays them out
 * (`000042.jpg` beside `000042.cls`) and small files. Random bytes stand for the pictures.
 */
import { Buffer } from "node:buffer";
import { createCipheriv, createHash } from "node:crypto";
// @ts-types="@types/tar-stream"
import { pack } from "tar-stream";

/** One file, whole. */
export interface DemoFile {
  /** Below the root of its backend. */
  readonly path: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A backend's share of the data set. */
export interface Share {
  readonly shards: number;
  readonly samplesPerShard: number;
  readonly smallFiles: number;
}

const PICTURE_BYTES_MIN = 60_000;
const PICTURE_BYTES_SPREAD = 80_000;
const CLASSES = 10;

/** `length` bytes that only `seed` decides, as fast as the processor encrypts. */
export function seededBytes(seed: string, length: number): Uint8Array<ArrayBuffer> {
  const digest = createHash("sha256").update(seed).digest();
  const cipher = createCipheriv("aes-128-ctr", digest.subarray(0, 16), digest.subarray(16));
  return new Uint8Array(cipher.update(Buffer.alloc(length)));
}

/** The files of `share`, one after the other, so that one at a time is in memory. */
export async function* demoFiles(seed: string, share: Share): AsyncGenerator<DemoFile> {
  for (let index = 0; index < share.shards; index += 1) {
    const path = `train/shard-${String(index).padStart(6, "0")}.tar`;
    const bytes = await shard(`${seed}/${path}`, share.samplesPerShard);
    yield { path, bytes };
  }
  for (let index = 0; index < share.smallFiles; index += 1) {
    const path = `labels/${String(index).padStart(3, "0")}.json`;
    const label = { file: index, class: numberFrom(`${seed}/${path}`, CLASSES) };
    yield { path, bytes: utf8(JSON.stringify(label) + "\n") };
  }
  // Names that a URL or a shell would mangle, and files of no bytes, are files like any other.
  yield { path: "notes/très #1, 100% sûr?.txt", bytes: utf8("Ça marche.\n") };
  yield { path: "notes/empty", bytes: new Uint8Array(0) };
}

async function shard(seed: string, samples: number): Promise<Uint8Array<ArrayBuffer>> {
  const tar = pack();
  const mtime = new Date(0);
  for (let index = 0; index < samples; index += 1) {
    const name = String(index).padStart(6, "0");
    const bytes = PICTURE_BYTES_MIN + numberFrom(`${seed}/${name}`, PICTURE_BYTES_SPREAD);
    const picture = seededBytes(`${seed}/${name}.jpg`, bytes);
    tar.entry({ name: `${name}.jpg`, mtime }, Buffer.from(picture));
    tar.entry({ name: `${name}.cls`, mtime }, String(numberFrom(`${seed}/${name}.cls`, CLASSES)));
  }
  tar.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of tar) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

/** A number from 0 up to `limit`, `limit` excluded. */
function numberFrom(seed: string, limit: number): number {
  return createHash("sha256").update(seed).digest().readUInt32BE(0) % limit;
}

function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
