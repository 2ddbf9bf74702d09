/** Pins by paths, and says at which of them there was nothing to pin. */
import type { CacheOperations, Pinned } from "./cache_operations.ts";
import type { SelectedPath } from "./cached_places.ts";

/** What was pinned. */
export interface PinnedPaths extends Pinned {
  /** Paths at and below which nothing is cached. */
  readonly absent: readonly string[];
}

/** Pins what is cached at `paths` and below them. */
export async function pinPaths(
  operations: Pick<CacheOperations, "pin">,
  paths: readonly SelectedPath[],
  signal: AbortSignal,
): Promise<PinnedPaths> {
  let sum: PinnedPaths = { objects: 0, bytes: 0, incomplete: 0, refused: 0, absent: [] };
  for (const { path, places } of paths) {
    const pinned = await operations.pin({ kind: "places", places }, signal);
    const isAbsent = pinned.objects + pinned.refused === 0;
    sum = {
      objects: sum.objects + pinned.objects,
      bytes: sum.bytes + pinned.bytes,
      incomplete: sum.incomplete + pinned.incomplete,
      refused: sum.refused + pinned.refused,
      absent: isAbsent ? [...sum.absent, path] : sum.absent,
    };
  }
  return sum;
}
