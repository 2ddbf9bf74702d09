/** Who uses a cache directory now. What `mount --check` and `ctl doctor` both ask. */
import { type CacheHolder, describeHolder, readHolder } from "./cache_directory.ts";
import { ERRNO, errnoName } from "../platform/errno.ts";
import { bad, type Finding, good, skipped } from "../platform/finding.ts";
import type { Libc } from "../platform/libc.ts";
import { OPEN_FLAGS } from "../platform/open_flags.ts";

/** What the finding is about. */
export const CACHE_LOCK = "cache lock";

/** The lock of a cache directory. */
export type CacheLock =
  | { readonly kind: "free" }
  /** `holder` is null where the process that has it did not say who it is. */
  | { readonly kind: "held"; readonly holder: CacheHolder | null }
  /** This user may not look. */
  | { readonly kind: "hidden"; readonly reason: string };

/** Judges the lock of a cache that is for the mount at `mountPoint`, which may be who has it. */
export function checkLock(lock: CacheLock, mountPoint: string): Finding {
  switch (lock.kind) {
    case "free":
      return good(CACHE_LOCK, "free: no mount uses the cache");
    case "held":
      return lock.holder?.mountPoint === mountPoint
        ? good(CACHE_LOCK, describeHolder(lock.holder))
        : bad(
          CACHE_LOCK,
          describeHolder(lock.holder),
          "End that one first, or give this mount a cache.path of its own",
        );
    case "hidden":
      return skipped(CACHE_LOCK, `it cannot be looked at: ${lock.reason}`);
  }
}

/**
 * Looks at the lock of the cache at `path` by taking it for a moment: only the lock itself tells a
 * mount that runs from one that was killed. One that runs does not notice.
 */
export function lookAtLock(path: string, libc: Libc): CacheLock {
  const file = `${path}/LOCK`;
  const fd = libc.openPath(file, OPEN_FLAGS.RDONLY | OPEN_FLAGS.NOFOLLOW);
  if (fd === -ERRNO.ENOENT) return { kind: "free" };
  if (fd < 0) return { kind: "hidden", reason: errnoName(-fd) };
  const result = libc.files.lock(fd);
  libc.close(fd);
  return result === -ERRNO.EAGAIN ? { kind: "held", holder: readHolder(file) } : { kind: "free" };
}
