/** Processes that read files from beginning to end, as workers of a training job do. */
import { createHash } from "node:crypto";
import { blobBytes } from "./origin_blobs.ts";
import type { Clock } from "../cache/platform/clock.ts";

/** What readers read. */
export interface Reading {
  readonly bytes: number;
  /** From the start of the first process to the end of the last. */
  readonly seconds: number;
}

/** How files are read: by cat, 128 KiB at a time, or with O_DIRECT past the mount's page cache. */
export type Way = "buffered" | "direct";

const DIRECT = 'for f; do dd if="$f" of=/dev/null bs=1M iflag=direct status=none || exit 1; done';

/** Reads blobs by their paths, each list in order by a process of its own. */
export async function readAll(
  lists: readonly (readonly string[])[],
  clock: Clock,
  signal: AbortSignal,
  way: Way = "buffered",
): Promise<Reading> {
  const startedMs = clock.monotonicMs();
  await Promise.all(lists.map((files) => readInOrder(files, signal, way)));
  const bytes = lists.flat().reduce((sum, file) => sum + (blobBytes(file) ?? NaN), 0);
  return { bytes, seconds: (clock.monotonicMs() - startedMs) / 1_000 };
}

async function readInOrder(
  files: readonly string[],
  signal: AbortSignal,
  way: Way,
): Promise<void> {
  const [program, args] = way === "buffered"
    ? ["cat", files]
    : ["sh", ["-c", DIRECT, "sh", ...files]];
  const { success, stderr } = await new Deno.Command(program, {
    args: [...args],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    signal,
  }).output();
  if (!success) throw new Error(`Read files: ${new TextDecoder().decode(stderr).trim()}`);
}

/** `files` dealt to so many readers in turn. */
export function dealt(files: readonly string[], readers: number): string[][] {
  return Array.from(
    { length: readers },
    (_, reader) => files.filter((_, index) => index % readers === reader),
  );
}

/** `files` in an order that only `seed` decides. */
export function shuffled(files: readonly string[], seed: string): string[] {
  const keyed = files.map((file) => ({
    file,
    key: createHash("sha256").update(`${seed} ${file.slice(file.lastIndexOf("/"))}`).digest("hex"),
  }));
  return keyed.sort((left, right) => left.key < right.key ? -1 : 1).map(({ file }) => file);
}

/** Paths of what is in `directory`, sorted. */
export async function namesIn(directory: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(directory)) names.push(`${directory}/${name}`);
  return names.sort();
}
