/** The checks of the cache's disk, of which its directory comes first. */
import type { CacheSettings } from "../../cache/config/cache_config.ts";
import {
  CACHE_DIRECTORY,
  type CacheDirectoryLook,
  SEE_DIRECTORY,
} from "../../cache/disk/directory_check.ts";
import { missingOn } from "../../cache/disk/disk_floor.ts";
import { diskSpace } from "../../cache/disk/disk_space.ts";
import { CACHE_LOCK, checkLock, lookAtLock } from "../../cache/disk/lock_check.ts";
import { CACHE_SPACE, checkCacheSpace } from "../../cache/disk/space_check.ts";
import { assert } from "../../cache/platform/assert.ts";
import type { Clock } from "../../cache/platform/clock.ts";
import { skipped } from "../../cache/platform/finding.ts";
import type { Libc } from "../../cache/platform/libc.ts";
import { type Check, LOCAL_DEADLINE_MS } from "./check.ts";
import { diskSpeed, FULL_TRIAL, GENTLE_TRIAL } from "./disk_speed.ts";
import { indexFormat, readHead } from "./index_format.ts";
import { sparseFiles } from "./sparse_files.ts";

type Look = () => Promise<CacheDirectoryLook>;

/** The checks of the cache of a mount at `mountPoint`; `look` tells of the cache's directory. */
export function cacheChecks(
  settings: CacheSettings,
  mountPoint: string,
  look: Look,
  { libc, clock }: { readonly libc: Libc; readonly clock: Clock },
  quick: boolean,
): readonly Check[] {
  const { path } = settings;
  const directory = async () => {
    const found = await look();
    assert(found.usable, "A check looks into a cache directory that cannot be used");
    return found.existing;
  };
  const speed = diskSpeed({
    directory,
    hasRoom: async (bytes) =>
      missingOn(await diskSpace(await directory()), { bytes, files: 1 }) === null,
    trial: () => lookAtLock(path, libc).kind === "held" ? GENTLE_TRIAL : FULL_TRIAL,
    libc,
    clock,
  });
  const inside = [
    localCheck(
      "cache_space",
      CACHE_SPACE,
      async () => await checkCacheSpace(settings, await directory()),
    ),
    sparseFiles(directory, libc.files),
    quick ? leftOut(speed, "--quick") : speed,
    localCheck(
      "cache_lock",
      CACHE_LOCK,
      () => Promise.resolve(checkLock(lookAtLock(path, libc), mountPoint)),
    ),
    indexFormat((bytes) => readHead(`${path}/index.sqlite`, bytes)),
  ];
  return [
    localCheck("cache_directory", CACHE_DIRECTORY, async () => (await look()).finding),
    ...inside.map((check) => unlessUnusable(check, look)),
  ];
}

function localCheck(name: string, subject: string, run: Check["run"]): Check {
  return { name, subject, deadlineMs: LOCAL_DEADLINE_MS, run };
}

/** `check`, not made where the directory already failed: one mistake is one failure. */
function unlessUnusable(check: Check, look: Look): Check {
  const run: Check["run"] = async (signal) =>
    (await look()).usable ? await check.run(signal) : skipped(check.subject, SEE_DIRECTORY);
  return { ...check, run };
}

/** `check`, not made for a reason. */
function leftOut({ name, subject }: Check, reason: string): Check {
  return localCheck(name, subject, () => Promise.resolve(skipped(subject, reason)));
}
