/**
 * Whether the disk of a cache has room for it, above the floor that stays free. What
 * `mount --check` and `ctl doctor` both ask.
 */
import { constants } from "node:fs/promises";
import { join } from "node:path/posix";
import { doubtful, type Finding, good } from "../platform/finding.ts";
import { isAccessible } from "../platform/host.ts";
import { describeError } from "../platform/log.ts";
import { formatBytes } from "../platform/units.ts";
import type { CacheSettings } from "../config/cache_config.ts";
import { missingOn } from "./disk_floor.ts";
import { type DiskSpace, diskSpace } from "./disk_space.ts";

/** What the finding is about. */
export const CACHE_SPACE = "cache space";
/** Files a cache of shards easily has. */
const FILES_WANTED = 10_000;

/** Compares the disk of the directory `existing`, which it is or will be below, with the cache. */
export async function checkCacheSpace(
  { path, sizeBytesMax }: Pick<CacheSettings, "path" | "sizeBytesMax">,
  existing: string,
): Promise<Finding> {
  try {
    const [space, exists] = await Promise.all([
      diskSpace(existing),
      isAccessible(join(path, "index.sqlite"), constants.F_OK),
    ]);
    return judgeSpace(sizeBytesMax, space, exists);
  } catch (error) {
    return doubtful(CACHE_SPACE, describeError(error), "Check that its disk is mounted");
  }
}

/** Judges; of a disk that has a cache already, nobody knows yet how much of it that is. */
export function judgeSpace(sizeBytesMax: number, space: DiskSpace, exists: boolean): Finding {
  const found = `${formatBytes(space.freeBytes)} of ${formatBytes(space.totalBytes)} free, ` +
    `cache.max_size is ${formatBytes(sizeBytesMax)}`;
  if (missingOn(space, { bytes: 1, files: 1 }) !== null) {
    return doubtful(
      CACHE_SPACE,
      `${found}: the disk is as full as the cache lets it get, and nothing more is cached`,
      "Free space, or files, on the disk",
    );
  }
  if (missingOn(space, { bytes: 0, files: FILES_WANTED }) !== null) {
    return doubtful(
      CACHE_SPACE,
      `${found}; few files can be created`,
      "Use a disk with more inodes",
    );
  }
  const empty = exists ? { ...space, freeBytes: space.totalBytes } : space;
  const missing = missingOn(empty, { bytes: sizeBytesMax, files: 0 });
  if (missing === null) return good(CACHE_SPACE, found);
  const attainable = formatBytes(Math.max(0, Math.floor(sizeBytesMax - missing.bytes)));
  return doubtful(
    CACHE_SPACE,
    `${found}: there is room for ${attainable}, as some of the disk stays free`,
    `Lower cache.max_size, or use a larger disk; the cache stops before the disk is full`,
  );
}
