/** Reads a tree as any program would, and compares it with what was put into the stores. */
import { createHash } from "node:crypto";
import { untilAborted } from "./abort.ts";

/** What a file should be. */
export interface Original {
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** The files of a tree by path below its root. */
export type Originals = ReadonlyMap<string, Original>;

/** How reading a whole tree went. */
export interface Reading {
  readonly files: number;
  readonly bytes: number;
  readonly milliseconds: number;
  /** One sentence for each file that is not as it should be, and each that should not be there. */
  readonly differences: readonly string[];
}

const READ_BYTES = 1024 * 1024;

/** The original that `bytes` are. */
export function originalOf(bytes: Uint8Array): Original {
  return { sizeBytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
}

/** Paths of the files below `root`, sorted. */
export async function listFiles(root: string, signal: AbortSignal): Promise<string[]> {
  const found: string[] = [];
  const visit = async (directory: string) => {
    const entries = await untilAborted(Array.fromAsync(Deno.readDir(root + directory)), signal);
    for (const { name, isDirectory } of entries) {
      if (isDirectory) await visit(`${directory}/${name}`);
      else found.push(`${directory}/${name}`.slice(1));
    }
  };
  await visit("");
  return found.sort();
}

/** Reads every file below `root` once, one after the other. */
export async function readTree(
  root: string,
  originals: Originals,
  signal: AbortSignal,
): Promise<Reading> {
  const started = performance.now();
  const differences: string[] = [];
  const paths = await listFiles(root, signal);
  let bytes = 0;
  for (const path of paths) {
    const original = originals.get(path);
    const read = await readFile(`${root}/${path}`, signal);
    bytes += read.sizeBytes;
    const difference = compare(original, read);
    if (difference !== null) differences.push(`${path}: ${difference}`);
  }
  const seen = new Set(paths);
  for (const path of originals.keys()) {
    if (!seen.has(path)) differences.push(`${path}: is not listed`);
  }
  const milliseconds = performance.now() - started;
  return { files: paths.length, bytes, milliseconds, differences };
}

/** How `read` differs from `original`; null when it does not. */
export function compare(original: Original | undefined, read: Original): string | null {
  if (original === undefined) return "was never stored";
  if (read.sizeBytes !== original.sizeBytes) {
    return `has ${read.sizeBytes} bytes instead of ${original.sizeBytes}`;
  }
  return read.sha256 === original.sha256 ? null : "has other bytes than were stored";
}

async function readFile(path: string, signal: AbortSignal): Promise<Original> {
  const buffer = new Uint8Array(READ_BYTES);
  const hash = createHash("sha256");
  let sizeBytes = 0;
  using file = await untilAborted(Deno.open(path), signal);
  for (;;) {
    const count = await untilAborted(file.read(buffer), signal);
    if (count === null) break;
    hash.update(buffer.subarray(0, count));
    sizeBytes += count;
  }
  return { sizeBytes, sha256: hash.digest("hex") };
}
