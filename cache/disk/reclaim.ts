/**
 * Brings index and data files together again after a process that was killed: files without a row
 * are removed, rows whose file is missing or cut are dropped. Runs in the background, a directory
 * at a time, and leaves alone what this process creates meanwhile: new objects have higher ids.
 */
import type { CacheDirectory } from "./cache_directory.ts";
import { DATA_DIRECTORIES, idOfName } from "./cache_directory.ts";
import type { CacheIndex } from "../index/cache_index.ts";
import { CacheDiskError } from "./cache_disk_error.ts";
import { type DataFileDeps, unlinkDataFile } from "./data_file.ts";
import type { CachedRow } from "../index/rows.ts";

/** Blocks of the file system that are not full, and those that say where the others are. */
const SLACK_BYTES = 64 * 1024;

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
  /** More of an object is on disk than its row says: what was written just before a crash. */
  readonly onUnannounced: (row: CachedRow, allocatedBytes: number) => void;
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
    if (row.id >= deps.index.firstNewId) continue;
    const allocatedBytes = await allocatedTo(row, deps.directory.dataPath(row.id));
    if (allocatedBytes !== null) {
      if (allocatedBytes > row.cachedBytes + SLACK_BYTES) deps.onUnannounced(row, allocatedBytes);
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

/** Bytes of disk that the file of `row` takes; null when it is not the file that was left. */
async function allocatedTo(row: CachedRow, path: string): Promise<number | null> {
  try {
    const { isFile, size, blocks } = await Deno.lstat(path);
    return isFile && size === row.sizeBytes ? (blocks ?? 0) * 512 : null;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return null;
    throw failure("stat", path, cause);
  }
}

function failure(operation: string, path: string, cause: unknown): CacheDiskError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const code = cause instanceof Deno.errors.NotFound ? "gone" : "failed";
  return new CacheDiskError(code, operation, path, reason, { cause });
}
