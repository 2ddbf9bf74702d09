/** What is cached and nobody has read for long. */
import { staleRows } from "../operations/cache_selector.ts";
import type { IndexReading } from "../index/reading.ts";
import type { CachedRow } from "../index/rows.ts";

/** Which objects are wanted. */
export interface StaleQuestion {
  readonly olderThanMs: number;
  readonly minSizeBytes: number;
  readonly limit: number;
}

/** Some of what is stale. */
export interface StaleObjects {
  /** The longest unread first. */
  readonly rows: readonly CachedRow[];
  /** There are others behind them. */
  readonly more: boolean;
}

/** Whether somebody has an object open: it is in use then, whenever its reader last came by. */
export type IsOpen = (row: CachedRow) => boolean;

/** Finds them; `nowMs` in milliseconds since the epoch. */
export async function staleObjects(
  index: Pick<IndexReading, "rows">,
  { olderThanMs, minSizeBytes, limit }: StaleQuestion,
  nowMs: number,
  isOpen: IsOpen,
  signal: AbortSignal,
): Promise<StaleObjects> {
  const rows: CachedRow[] = [];
  for await (const row of staleRows(index.rows(signal), nowMs - olderThanMs, minSizeBytes)) {
    if (isOpen(row)) continue;
    if (rows.length === limit) return { rows, more: true };
    rows.push(row);
  }
  return { rows, more: false };
}
