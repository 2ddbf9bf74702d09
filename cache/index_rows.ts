/** What the index keeps of an object version. */
import type { Timestamp } from "./backend/backend.ts";
import type { ChunkRow } from "./chunk_map.ts";

/** Names one version of one object. */
export interface ObjectKey {
  readonly backend: string;
  /** Relative to the backend, as in `backend/backend.ts`. */
  readonly path: string;
  readonly version: string;
}

/** An object version that enters the cache; nothing of it is cached yet. */
export interface NewObject extends ObjectKey {
  readonly etag: string | null;
  readonly sizeBytes: number;
  readonly modified: Timestamp;
  /** Whose read or warm brought it in. */
  readonly uid: number;
  readonly lastAccessMs: number;
  readonly pinned: boolean;
}

/** An object version in the cache. */
export interface CachedRow extends NewObject {
  /** Names its data file too. Never given to another object, not even after a removal. */
  readonly id: number;
  readonly cachedBytes: number;
}

/** What changed of one object since its last commit. */
export interface ObjectChange {
  readonly id: number;
  /** Rows as they are now; one without a present chunk is deleted. */
  readonly blocks: readonly ChunkRow[];
  readonly cachedBytes: number;
  readonly lastAccessMs: number;
}

/** Objects and bytes of the cache. */
export interface Totals {
  readonly objects: number;
  readonly cachedBytes: number;
}

/** What the objects one user brought in from one backend take. */
export interface Usage extends Totals {
  readonly backend: string;
  readonly uid: number;
}
