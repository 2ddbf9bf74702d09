/** Whether the disk of the cache has room for it, above the floor that stays free. */
import { missingOn } from "../../cache/disk/disk_floor.ts";
import type { DiskSpace } from "../../cache/disk/disk_space.ts";
import { doubtful, type Finding, good } from "../../cache/platform/finding.ts";
import { formatBytes } from "../../cache/platform/units.ts";
import { type Check, LOCAL_DEADLINE_MS } from "./check.ts";

const SUBJECT = "cache space";
/** Files a cache of shards easily has. */
const FILES_WANTED = 10_000;

/** What the check asks. */
export interface CacheSpaceFacts {
  /** `cache.max_size`. */
  readonly sizeBytesMax: number;
  readonly space: () => Promise<DiskSpace>;
  /** Whether there is a cache already, whose bytes are not free any more. */
  readonly exists: () => Promise<boolean>;
}

/** The check of free space against `cache.max_size`. */
export function cacheSpace(facts: CacheSpaceFacts): Check {
  return {
    name: "cache_space",
    subject: SUBJECT,
    deadlineMs: LOCAL_DEADLINE_MS,
    async run() {
      const [space, exists] = await Promise.all([facts.space(), facts.exists()]);
      return judgeSpace(facts.sizeBytesMax, space, exists);
    },
  };
}

/** Judges; of a disk that has a cache already, nobody knows yet how much of it that is. */
export function judgeSpace(sizeBytesMax: number, space: DiskSpace, exists: boolean): Finding {
  const found = `${formatBytes(space.freeBytes)} of ${formatBytes(space.totalBytes)} free, ` +
    `cache.max_size is ${formatBytes(sizeBytesMax)}`;
  if (missingOn(space, { bytes: 1, files: 1 }) !== null) {
    return doubtful(
      SUBJECT,
      `${found}: the disk is as full as the cache lets it get, and nothing more is cached`,
      "Free space, or files, on the disk",
    );
  }
  if (missingOn(space, { bytes: 0, files: FILES_WANTED }) !== null) {
    return doubtful(SUBJECT, `${found}; few files can be created`, "Use a disk with more inodes");
  }
  const empty = exists ? { ...space, freeBytes: space.totalBytes } : space;
  const missing = missingOn(empty, { bytes: sizeBytesMax, files: 0 });
  if (missing === null) return good(SUBJECT, found);
  const attainable = formatBytes(Math.max(0, Math.floor(sizeBytesMax - missing.bytes)));
  return doubtful(
    SUBJECT,
    `${found}: there is room for ${attainable}, as some of the disk stays free`,
    `Lower cache.max_size, or use a larger disk; the cache stops before the disk is full`,
  );
}
