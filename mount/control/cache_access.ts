/** How calls reach the cache of the mount, and paths in it. */
import type { CacheOperations } from "../../cache/cache_operations.ts";
import { type CachedTree, type SelectedPath, selectPaths } from "../../cache/cached_places.ts";
import type { Clock } from "../../cache/platform/clock.ts";
import { type Refused, refused } from "./route.ts";

/** The cache of a mount. */
export interface CacheAccess {
  readonly operations: CacheOperations;
  readonly tree: CachedTree;
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
