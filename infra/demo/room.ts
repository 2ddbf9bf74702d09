/** Whether the demo has the room it takes, seen before anything is made. */
import { missingOn } from "../../cache/disk/disk_floor.ts";
import type { DiskSpace } from "../../cache/disk/disk_space.ts";
import { formatBytes } from "../../cache/platform/units.ts";
import type { Scale } from "./options.ts";

/** Bytes of one image in its shard, with what a tar adds. */
const IMAGE_BYTES = 56_000;
/** The cache holds every image once; logs, index and plots are small beside it. */
const SLACK = 1.5;
const FILES = 1_000;

/**
 * What `directory`, on a disk with `space`, lacks for a demo of `scale`; null when it will do. A
 * cache on a fuller disk keeps less than it reads, and no epoch would be warm.
 */
export function lackOfRoom(scale: Scale, directory: string, space: DiskSpace): string | null {
  const { trainShards, validationShards, imagesPerShard } = scale;
  const bytes = (trainShards + validationShards) * imagesPerShard * IMAGE_BYTES * SLACK;
  const missing = missingOn(space, { bytes, files: FILES });
  if (missing === null) return null;
  const lack = missing.bytes > 0
    ? `${formatBytes(space.freeBytes)} free, and the demo needs ` +
      `${formatBytes(space.freeBytes + missing.bytes)}`
    : `room for ${space.freeInodes} more files, and the demo needs ` +
      `${space.freeInodes + missing.files}`;
  return `${directory} has ${lack} (a cache leaves 5% of its disk free): make room there, ` +
    "or name another directory in TMPDIR";
}
