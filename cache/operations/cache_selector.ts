/** Which cached objects an operator means. */
import type { CacheIndex } from "../index/cache_index.ts";
import type { CachedPlace } from "./cached_places.ts";
import type { CachedRow } from "../index/rows.ts";

/** Some of what is cached. */
export type CacheSelector =
  | { readonly kind: "all" }
  /** The objects at these places, in all their versions, and everything below them. */
  | { readonly kind: "places"; readonly places: readonly CachedPlace[] }
  /** Objects of at least `minSizeBytes` that nobody has read for `olderThanMs`. */
  | { readonly kind: "stale"; readonly olderThanMs: number; readonly minSizeBytes: number };

/** The rows `selector` means, a page of the index at a time. */
export function selectedRows(
  index: Pick<CacheIndex, "rows" | "subtree">,
  selector: CacheSelector,
  nowMs: number,
  signal: AbortSignal,
): AsyncIterable<CachedRow> {
  switch (selector.kind) {
    case "all":
      return index.rows(signal);
    case "places":
      return subtrees(index, selector.places, signal);
    case "stale":
      return staleRows(index.rows(signal), nowMs - selector.olderThanMs, selector.minSizeBytes);
  }
}

async function* subtrees(
  index: Pick<CacheIndex, "subtree">,
  places: readonly CachedPlace[],
  signal: AbortSignal,
): AsyncGenerator<CachedRow, void, void> {
  for (const { backend, path } of places) yield* index.subtree(backend, path, signal);
}

/** Rows come the longest unread first, so the first that was read lately ends them. */
export async function* staleRows(
  rows: AsyncIterable<CachedRow>,
  beforeMs: number,
  minSizeBytes: number,
): AsyncGenerator<CachedRow, void, void> {
  for await (const row of rows) {
    if (row.lastAccessMs > beforeMs) return;
    if (row.sizeBytes >= minSizeBytes) yield row;
  }
}
