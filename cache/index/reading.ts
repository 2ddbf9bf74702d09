/** What can be asked of an index that is not to change: one in use, or one nobody uses. */
import type { CacheIndex } from "./cache_index.ts";

/** The calls that change nothing. Methods reject with `CacheDiskError` where the disk fails. */
export type IndexReading = Pick<
  CacheIndex,
  "usage" | "counts" | "tally" | "rows" | "versionsOf" | "blocksOf" | "listedMs"
>;
