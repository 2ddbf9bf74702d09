/** The files a benchmark reads. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path/posix";
import { CommandError } from "../../cache/platform/exit.ts";
import type { BenchFile } from "./pattern.ts";

/** More would make the readers' lists larger than what they read with. */
const FILES_MAX = 1_000_000;

/**
 * The files below `directory` that hold something, by path.
 *
 * @throws {CommandError} when there are none, or the directory cannot be read.
 */
export async function findFiles(directory: string, signal: AbortSignal): Promise<BenchFile[]> {
  const files: BenchFile[] = [];
  try {
    await addFiles(directory, files, signal);
  } catch (cause) {
    if (signal.aborted) throw cause;
    const hint = "Name a directory with files to read with --dir";
    throw new CommandError("failed", `Cannot list "${directory}"`, hint, { cause });
  }
  if (files.length === 0) {
    throw new CommandError(
      "failed",
      `Cannot measure reads of "${directory}": it holds no file with something in it`,
      "Name a directory with files to read with --dir",
    );
  }
  return files.sort((one, other) => one.path < other.path ? -1 : 1);
}

async function addFiles(
  directory: string,
  files: BenchFile[],
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  for (const { name } of await readdir(directory, { withFileTypes: true })) {
    if (files.length >= FILES_MAX) return;
    const path = join(directory, name);
    const status = await stat(path);
    if (status.isDirectory()) await addFiles(path, files, signal);
    else if (status.isFile() && status.size > 0) files.push({ path, sizeBytes: status.size });
  }
}
