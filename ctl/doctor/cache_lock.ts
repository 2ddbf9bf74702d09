/** Who uses the cache directory now. */
import { type CacheHolder, describeHolder, readHolder } from "../../cache/disk/cache_directory.ts";
import { ERRNO, errnoName } from "../../cache/platform/errno.ts";
import { type Finding, good, skipped } from "../../cache/platform/finding.ts";
import type { Libc } from "../../cache/platform/libc.ts";
import { OPEN_FLAGS } from "../../cache/platform/open_flags.ts";
import { type Check, LOCAL_DEADLINE_MS } from "./check.ts";

const SUBJECT = "cache lock";

/** The lock of a cache directory. */
export type CacheLock =
  | { readonly kind: "free" }
  /** `holder` is null where the process that has it did not say who it is. */
  | { readonly kind: "held"; readonly holder: CacheHolder | null }
  /** This user may not look. */
  | { readonly kind: "hidden"; readonly reason: string };

/** The check of the lock. */
export function cacheLock(look: () => CacheLock): Check {
  return {
    name: "cache_lock",
    subject: SUBJECT,
    deadlineMs: LOCAL_DEADLINE_MS,
    run: () => Promise.resolve(judgeLock(look())),
  };
}

function judgeLock(lock: CacheLock): Finding {
  switch (lock.kind) {
    case "free":
      return good(SUBJECT, "free: no mount uses the cache");
    case "held":
      return good(SUBJECT, describeHolder(lock.holder));
    case "hidden":
      return skipped(SUBJECT, `it cannot be looked at: ${lock.reason}`);
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
