/** How calls reach the cache of the mount, and paths in it. */
import type { CacheOperations } from "../../cache/operations/cache_operations.ts";
import {
  type CachedTree,
  type SelectedPath,
  selectPaths,
} from "../../cache/operations/cached_places.ts";
import type { BackendCounts } from "../../cache/index/counters.ts";
import type { IndexReading } from "../../cache/index/reading.ts";
import type { Clock } from "../../cache/platform/clock.ts";
import type { Teams } from "../../cache/config/teams.ts";
import { type Refused, refused } from "./route.ts";

/** The cache of a mount. */
export interface CacheAccess {
  readonly operations: CacheOperations;
  /** Its index, for looking. */
  readonly reading: IndexReading;
  /** What was counted before this mount began. */
  readonly atStart: readonly BackendCounts[];
  readonly tree: CachedTree;
  readonly teams: Teams;
  readonly clock: Clock;
}

/** Answers calls for a cache where there is none. */
export const NO_CACHE: Refused = refused(
  "unavailable",
  "Use the cache of this mount: it has none",
  "Set cache.path in the configuration, and mount again",
);

/** `paths` as parts of the cache, or the call refused for one that is none. */
export function selected(
  paths: readonly string[],
  tree: CachedTree,
): { readonly kind: "selected"; readonly paths: readonly SelectedPath[] } | Refused {
  const found = selectPaths(paths, tree);
  if (found.kind === "selected") return found;
  return refused(
    "bad_request",
    `Find "${found.path}" in the cache: ${found.reason}`,
    `Give paths of cached backends below "${tree.mountPoint}"`,
  );
}
