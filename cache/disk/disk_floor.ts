/**
 * What the cache leaves of its disk, whatever `max_size` says: a share of its bytes and of its
 * files, because a disk without either is full for everybody.
 */
import type { DiskSpace } from "./disk_space.ts";

/** Share of the disk's bytes and of its files that stays free. */
const FREE_SHARE_MIN = 0.05;

/** Bytes of `disk` that are free above its floor; negative below it. */
export function roomOn({ totalBytes, freeBytes }: DiskSpace): number {
  return freeBytes - totalBytes * FREE_SHARE_MIN;
}

/** What is wanted of a disk, or missing on it. */
export interface DiskNeed {
  readonly bytes: number;
  readonly files: number;
}

/** What is missing on `disk` for `wanted`; null when it has room. */
export function missingOn(disk: DiskSpace, wanted: DiskNeed): DiskNeed | null {
  const bytes = wanted.bytes - roomOn(disk);
  // Infinity less Infinity is no number: where files are not counted, none are missing.
  const files = disk.freeInodes === Infinity
    ? 0
    : Math.ceil(disk.totalInodes * FREE_SHARE_MIN) + wanted.files - disk.freeInodes;
  if (bytes <= 0 && files <= 0) return null;
  return { bytes: Math.max(0, bytes), files: Math.max(0, files) };
}
