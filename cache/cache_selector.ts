/** Which cached objects an operator means. */
import type { CacheIndex } from "./cache_index.ts";
import type { CachedRow } from "./index_rows.ts";

/** Some of what is cached. */
export type CacheSelector =
  | { readonly kind: "all" }
  /** The object at `path`, in all its versions, and everything below it; `""` is all of it. */
  | { readonly kind: "path"; readonly backend: string; readonly path: string }
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
    case "path":
      return index.subtree(selector.backend, selector.path, signal);
    case "stale":
      return staleRows(index.rows(signal), nowMs - selector.olderThanMs, selector.minSizeBytes);
  }
}

/** Rows come the longest unread first, so the first that was read lately ends them. */
async function* staleRows(
  rows: AsyncIterable<CachedRow>,
  beforeMs: number,
  minSizeBytes: number,
): AsyncGenerator<CachedRow, void, void> {
  for await (const row of rows) {
    if (row.lastAccessMs > beforeMs) return;
    if (row.sizeBytes >= minSizeBytes) yield row;
  }
}
