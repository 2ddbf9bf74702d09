/**
 * Brings index and data files together again after a process that was killed: files without a row
 * are removed, rows whose file is missing or cut are dropped. Runs in the background, a directory
 * at a time, and leaves alone what this process creates meanwhile: new objects have higher ids.
 */
import type { CacheDirectory } from "./cache_directory.ts";
import { DATA_DIRECTORIES, idOfName } from "./cache_directory.ts";
import type { CacheIndex } from "./cache_index.ts";
import { CacheDiskError } from "./cache_disk_error.ts";
import { type DataFileDeps, unlinkDataFile } from "./data_file.ts";
import type { CachedRow } from "./index_rows.ts";

/** What was put right. */
export interface Reclaimed {
  readonly files: number;
  readonly rows: number;
}

/** What reclaiming works with. */
export interface ReclaimDeps {
  readonly directory: CacheDirectory;
  readonly index: CacheIndex;
  readonly files: DataFileDeps;
  /** A row was dropped because its file is not as it was left; the id is not used any more. */
  readonly onDropped: (row: CachedRow) => void;
}

/**
 * Goes through the whole cache once; to be called once after the start.
 *
 * @throws {CacheDiskError} when the disk fails; what was done by then is done.
 */
export async function reclaim(deps: ReclaimDeps, signal: AbortSignal): Promise<Reclaimed> {
  let files = 0;
  for (let number = 0; number < DATA_DIRECTORIES; number += 1) {
    files += await reclaimFiles(deps, deps.directory.dataDirectory(number), signal);
  }
  let rows = 0;
  for await (const row of deps.index.rows(signal)) {
    // Rows come by last access: whatever was read since the start is found at the end, and its
    // file was looked at when it was opened.
    if (row.id >= deps.index.firstNewId || await isThere(deps.directory.dataPath(row.id), row)) {
      continue;
    }
    await deps.index.remove([row.id]);
    await unlinkDataFile(deps.directory.dataPath(row.id), deps.files, signal);
    deps.onDropped(row);
    rows += 1;
  }
  return { files, rows };
}

/** Removes the files of one directory that no row has. */
async function reclaimFiles(
  deps: ReclaimDeps,
  path: string,
  signal: AbortSignal,
): Promise<number> {
  const { directory, index, files } = deps;
  const ids: number[] = [];
  let strangers = 0;
  for (const name of await namesIn(path)) {
    signal.throwIfAborted();
    const id = idOfName(name);
    if (id !== null && directory.dataPath(id) === `${path}/${name}`) {
      if (id < index.firstNewId) ids.push(id);
      continue;
    }
    await unlinkDataFile(`${path}/${name}`, files, signal);
    strangers += 1;
  }
  const orphans = ids.length === 0 ? [] : await index.withoutRow(ids);
  for (const id of orphans) await unlinkDataFile(directory.dataPath(id), files, signal);
  return orphans.length + strangers;
}

/** Names of the files in `path`; subdirectories are nobody's business. */
async function namesIn(path: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const entry of Deno.readDir(path)) if (!entry.isDirectory) names.push(entry.name);
    return names;
  } catch (cause) {
    throw failure("list", path, cause);
  }
}

async function isThere(path: string, row: CachedRow): Promise<boolean> {
  try {
    const { isFile, size } = await Deno.lstat(path);
    return isFile && size === row.sizeBytes;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return false;
    throw failure("stat", path, cause);
  }
}

function failure(operation: string, path: string, cause: unknown): CacheDiskError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const code = cause instanceof Deno.errors.NotFound ? "gone" : "failed";
  return new CacheDiskError(code, operation, path, reason, { cause });
}
