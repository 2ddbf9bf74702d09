/** `GET /v1/stats`: what the cache holds and what it did, by backend. */
import { z } from "zod";
import type { BackendCounts } from "../cache/index/counters.ts";
import type { Usage } from "../cache/index/rows.ts";
import type { Endpoint } from "./api.ts";

const COUNT = z.int().nonnegative();

/** What is counted. Blocks are those of `cache.block_size`. */
const COUNTS = z.object({
  /** Blocks of reads that came from the cache, and that waited for the store. */
  hits: COUNT,
  misses: COUNT,
  /** Blocks that left to make room. */
  evicted_blocks: COUNT,
  /** Blocks fetched ahead that were read, and that never were. */
  readahead_hit_blocks: COUNT,
  readahead_wasted_blocks: COUNT,
  /** Chunks and files that were not as they were left; none of them was served. */
  corruptions: COUNT,
  /** Bytes that came from the store. */
  fetched_bytes: COUNT,
});
export type Counts = z.infer<typeof COUNTS>;

const BACKEND_STATS = z.object({
  backend: z.string(),
  /** Object versions in the cache, complete or not, and their bytes. */
  objects: COUNT,
  cached_bytes: COUNT,
  /** Since the mount was started; null where none runs. */
  since_start: COUNTS.nullable(),
  /** Since the cache was made, over all mounts that had it. */
  in_all: COUNTS,
});

/** The answer; backends by name, also those that are not configured any more. */
export const STATS_ANSWER = z.object({ backends: z.array(BACKEND_STATS) });
export type Stats = z.infer<typeof STATS_ANSWER>;

/** What the cache holds and did, up to half a second ago. */
export const STATS = {
  method: "GET",
  path: "/v1/stats",
  request: z.strictObject({}),
  answer: STATS_ANSWER,
  form: "single",
} satisfies Endpoint;

/** What an index tells. */
export interface StatsFacts {
  readonly usage: readonly Usage[];
  readonly counts: readonly BackendCounts[];
  /** The counts when the mount began; null where none runs. */
  readonly atStart: readonly BackendCounts[] | null;
}

/** The answer that `facts` make. */
export function statsAnswer({ usage, counts, atStart }: StatsFacts): Stats {
  const names = [...usage, ...counts].map(({ backend }) => backend);
  return {
    backends: [...new Set(names)].sort().map((backend) => {
      const held = usage.filter((each) => each.backend === backend);
      const inAll = countsOf(counts, backend);
      return {
        backend,
        objects: held.reduce((sum, { objects }) => sum + objects, 0),
        cached_bytes: held.reduce((sum, { cachedBytes }) => sum + cachedBytes, 0),
        since_start: atStart === null ? null : difference(inAll, countsOf(atStart, backend)),
        in_all: inAll,
      };
    }),
  };
}

/** All of `counts` together. */
export function sumOfCounts(counts: readonly Counts[]): Counts {
  return counts.reduce((sum, each) => combined(sum, each, (one, other) => one + other), NOTHING);
}

const NOTHING: Counts = {
  hits: 0,
  misses: 0,
  evicted_blocks: 0,
  readahead_hit_blocks: 0,
  readahead_wasted_blocks: 0,
  corruptions: 0,
  fetched_bytes: 0,
};

function countsOf(counts: readonly BackendCounts[], backend: string): Counts {
  const found = counts.find((each) => each.backend === backend);
  if (found === undefined) return NOTHING;
  return {
    hits: found.hits,
    misses: found.misses,
    evicted_blocks: found.evictedBlocks,
    readahead_hit_blocks: found.readaheadHitBlocks,
    readahead_wasted_blocks: found.readaheadWastedBlocks,
    corruptions: found.corruptions,
    fetched_bytes: found.fetchedBytes,
  };
}

/** An index that was damaged begins anew, and then has counted less than at the start. */
function difference(now: Counts, before: Counts): Counts {
  return combined(now, before, (one, other) => Math.max(0, one - other));
}

function combined(
  one: Counts,
  other: Counts,
  combine: (one: number, other: number) => number,
): Counts {
  return {
    hits: combine(one.hits, other.hits),
    misses: combine(one.misses, other.misses),
    evicted_blocks: combine(one.evicted_blocks, other.evicted_blocks),
    readahead_hit_blocks: combine(one.readahead_hit_blocks, other.readahead_hit_blocks),
    readahead_wasted_blocks: combine(one.readahead_wasted_blocks, other.readahead_wasted_blocks),
    corruptions: combine(one.corruptions, other.corruptions),
    fetched_bytes: combine(one.fetched_bytes, other.fetched_bytes),
  };
}
