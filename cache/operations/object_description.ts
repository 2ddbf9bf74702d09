/** What can be said of one object version in the cache. */
import type { CachedObject } from "../object/cached_object.ts";
import { CHUNK_BYTES, ChunkMap, type ChunkRow } from "../object/chunk_map.ts";
import type { CachedRow } from "../index/rows.ts";
import type { Departure } from "../residency/residency.ts";

/** Parts of an object. */
export interface Parts {
  readonly count: number;
  /** Those of which every byte is on disk. */
  readonly present: number;
}

/** An object version in the cache. */
export interface ObjectDescription {
  /** As the index has it, and where it is open, as it is going to have it. */
  readonly row: CachedRow;
  readonly chunks: Parts;
  readonly blocks: Parts;
  /** Chunks this process has compared with their checksums; null while it is not open. */
  readonly verifiedChunks: number | null;
  /** Readers who have it open. */
  readonly opens: number;
  /** Whether what is fetched of it is kept; null while it is not open. */
  readonly admission: CachedObject["admission"]["kind"] | null;
  readonly pinned: boolean;
  /** Null when it is leaving already. */
  readonly departure: Departure | null;
}

/** What a description is made of. */
export interface Described {
  readonly row: CachedRow;
  readonly object: CachedObject | null;
  /** What the index says of its chunks; asked for only when it is not open. */
  readonly blocks: readonly ChunkRow[];
  readonly blockBytes: number;
  readonly departure: Departure | null;
  readonly pinned: boolean;
}

/** Puts a description together. */
export function describeObject(described: Described): ObjectDescription {
  const { row, object, blocks, blockBytes, departure, pinned } = described;
  const map = object?.stored.map ?? new ChunkMap(row.sizeBytes);
  if (object === null) { for (const block of blocks) map.load(block); }
  const inBlock = Math.max(1, blockBytes / CHUNK_BYTES);
  let [present, verified, presentBlocks] = [0, 0, 0];
  for (let first = 0; first < map.count; first += inBlock) {
    const end = Math.min(map.count, first + inBlock);
    let inThis = 0;
    for (let chunk = first; chunk < end; chunk += 1) {
      if (map.has(chunk)) inThis += 1;
      if (map.isVerified(chunk)) verified += 1;
    }
    present += inThis;
    if (inThis === end - first) presentBlocks += 1;
  }
  return {
    row: object === null ? row : {
      ...row,
      cachedBytes: map.presentBytes,
      lastAccessMs: Math.max(row.lastAccessMs, object.lastAccessMs),
    },
    chunks: { count: map.count, present },
    blocks: { count: Math.ceil(map.count / inBlock), present: presentBlocks },
    verifiedChunks: object === null ? null : verified,
    opens: object?.opens ?? 0,
    admission: object?.admission.kind ?? null,
    pinned,
    departure,
  };
}
