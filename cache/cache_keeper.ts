/** What open objects and the cache that keeps them say to each other. */
import type { CachedObject } from "./object/cached_object.ts";
import type { DataFile } from "./disk/data_file.ts";

/** What the cache decides for its objects, and is told by them. */
export interface CacheKeeper {
  /** The data file to write `bytes` more to; null when they are not to be kept. */
  admit(object: CachedObject, bytes: number): Promise<DataFile | null>;
  /** Chunks from `first` to `last` were written. */
  written(object: CachedObject, first: number, last: number): void;
  /** A chunk did not have its checksum, or could not be read back. */
  corrupt(object: CachedObject, chunk: number): void;
  /** The data file was cut, and is not used any more. */
  cut(object: CachedObject): void;
  /** Writing or reading the cache's disk failed. */
  diskFailed(error: unknown): void;
  /** `bytes` arrived from the store. */
  fetched(object: CachedObject, bytes: number): void;
  /** A read was served, `hits` blocks from the cache and `misses` blocks not. */
  counted(object: CachedObject, hits: number, misses: number): void;
  /** Nobody has the object open, and nothing of it is on its way. */
  closed(object: CachedObject): void;
}

/** Whether the cache keeps an object. */
export type Admission =
  | { readonly kind: "undecided" }
  | { readonly kind: "admitted"; readonly chargedBytes: number }
  /** Until it is opened again. */
  | { readonly kind: "refused" }
  /** While open: it is not written to any more, and its space comes back on close. */
  | { readonly kind: "evicted" };
