/** What is left on the file system of the cache. */
import { statfs } from "node:fs/promises";
import { CacheDiskError } from "./cache_disk_error.ts";

/** Space as an unprivileged process sees it, in bytes; inodes in files. */
export interface DiskSpace {
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** Files there can be; Infinity where the file system has no such limit (btrfs). */
  readonly totalInodes: number;
  /** Files that can still be created. */
  readonly freeInodes: number;
}

/**
 * Asks the file system of `path`, on a thread of its own.
 *
 * @throws {CacheDiskError} `gone` when nothing is at `path`, else `failed`.
 */
export async function diskSpace(path: string): Promise<DiskSpace> {
  try {
    const { blocks, bavail, bsize, files, ffree } = await statfs(path);
    return {
      totalBytes: blocks * bsize,
      freeBytes: bavail * bsize,
      totalInodes: files === 0 ? Infinity : files,
      freeInodes: files === 0 ? Infinity : ffree,
    };
  } catch (cause) {
    const missing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
    const reason = missing ? "it is gone" : "its file system does not answer";
    throw new CacheDiskError(missing ? "gone" : "failed", "ask for the space of", path, reason, {
      cause,
    });
  }
}
