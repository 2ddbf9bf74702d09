/** What the soak reads: objects whose every version is known, so that every byte can be checked. */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { ContainerClient } from "@azure/storage-blob";
import { sampleBytes } from "../support/sample_bytes.ts";

const MIB = 1 << 20;
/** Bytes of all versions: each is a stretch of these that begins elsewhere. */
const POOL_BYTES = 40 * MIB;
/** A prime, so that no two versions agree at offsets a multiple of any block apart. */
const STRETCH_BYTES = 10_007;
/** Versions of one key that are remembered: readers hold none that is older. */
const VERSIONS_MAX = 200;

/** Kinds of objects, by directory. */
export const DIRECTORIES = ["shards", "small", "changing"] as const;
export type Directory = (typeof DIRECTORIES)[number];

/** How many objects there are of a kind, and how large they are. */
interface Shape {
  readonly count: number;
  readonly bytesMin: number;
  readonly bytesMax: number;
}

const SHAPES: Readonly<Record<Directory, Shape>> = {
  shards: { count: 10, bytesMin: 9 * MIB, bytesMax: 14 * MIB },
  small: { count: 300, bytesMin: 1, bytesMax: 60_000 },
  changing: { count: 8, bytesMin: 100_000, bytesMax: 3 * MIB },
};

/** Bytes of everything, about; a cache is to be smaller. */
export const DATA_BYTES = 130 * MIB;

/** All objects of the soak, and what each of them ever was. */
export class DataSet {
  readonly #container: ContainerClient;
  readonly #pool = sampleBytes(POOL_BYTES, 99);
  readonly #versions = new Map<string, Uint8Array[]>();
  #written = 0;

  constructor(container: ContainerClient) {
    this.#container = container;
  }

  /** Writes the first version of every object. */
  async fill(signal: AbortSignal): Promise<void> {
    for (const directory of DIRECTORIES) {
      for (let number = 0; number < SHAPES[directory].count; number += 1) {
        signal.throwIfAborted();
        await this.write(keyOf(directory, number), directory, (number * 0.618) % 1);
      }
    }
  }

  /** Keys of a kind, in order. */
  keys(directory: Directory): readonly string[] {
    const { count } = SHAPES[directory];
    return Array.from({ length: count }, (_, number) => keyOf(directory, number));
  }

  /** Writes a new version of `key`; `share`, in [0, 1), says how large it is among its kind. */
  async write(key: string, directory: Directory, share: number): Promise<void> {
    const { bytesMin, bytesMax } = SHAPES[directory];
    const length = bytesMin + Math.floor((bytesMax - bytesMin) * share);
    this.#written += 1;
    const start = (this.#written * STRETCH_BYTES) % (POOL_BYTES - length);
    const content = this.#pool.subarray(start, start + length);
    const versions = this.#versions.get(key) ?? [];
    // Known before it can be read.
    this.#versions.set(key, [...versions, content].slice(-VERSIONS_MAX));
    await this.#container.getBlockBlobClient(key).upload(content, length);
  }

  /** SHA-256 of everything `key` may be. */
  sums(key: string): string[] {
    return (this.#versions.get(key) ?? []).map((content) =>
      createHash("sha256").update(content).digest("hex")
    );
  }

  /** What an open file of `key` may hold. */
  expect(key: string): ExpectedFile {
    return new ExpectedFile(this.#versions.get(key) ?? []);
  }
}

/** One version of an object, among those it may be: each read leaves fewer. */
export class ExpectedFile {
  #candidates: readonly Uint8Array[];

  constructor(candidates: readonly Uint8Array[]) {
    this.#candidates = candidates;
  }

  /** Sizes it may have. */
  hasSize(sizeBytes: number): boolean {
    this.#candidates = this.#candidates.filter(({ length }) => length === sizeBytes);
    return this.#candidates.length > 0;
  }

  /** Whether `bytes` at `offset` are of a version that all reads before were of. */
  has(bytes: Uint8Array, offset: number): boolean {
    this.#candidates = this.#candidates.filter((candidate) =>
      Buffer.compare(bytes, candidate.subarray(offset, offset + bytes.length)) === 0
    );
    return this.#candidates.length > 0;
  }
}

function keyOf(directory: Directory, number: number): string {
  // Twenty to a directory, where there are many.
  const parent = directory === "small" ? `${directory}/${Math.floor(number / 20)}` : directory;
  return `${parent}/${String(number).padStart(4, "0")}`;
}
