/** What a cache did since it was made, by backend, over all processes that had it. */
import type { DatabaseSync } from "node:sqlite";
import { integer, text } from "./rows.ts";

/** What is counted of one backend. */
export interface BackendCounts {
  readonly backend: string;
  /** Blocks of reads that came from the cache, and that waited for the store. */
  readonly hits: number;
  readonly misses: number;
  /** Bytes that came from the store. */
  readonly fetchedBytes: number;
  /** Blocks that left to make room. */
  readonly evictedBlocks: number;
  /** Blocks fetched ahead that were read, and that never were. */
  readonly readaheadHitBlocks: number;
  readonly readaheadWastedBlocks: number;
  /** Chunks and files that were not as they were left. */
  readonly corruptions: number;
}

/** The counters of one open database. */
export class IndexCounters {
  readonly #add;
  readonly #all;

  constructor(database: DatabaseSync) {
    this.#add = database.prepare(
      `INSERT INTO counters VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET
         hits = hits + excluded.hits,
         misses = misses + excluded.misses,
         fetched_bytes = fetched_bytes + excluded.fetched_bytes,
         evicted_blocks = evicted_blocks + excluded.evicted_blocks,
         readahead_hit_blocks = readahead_hit_blocks + excluded.readahead_hit_blocks,
         readahead_wasted_blocks = readahead_wasted_blocks + excluded.readahead_wasted_blocks,
         corruptions = corruptions + excluded.corruptions`,
    );
    this.#all = database.prepare("SELECT * FROM counters ORDER BY backend");
  }

  add({ backend, ...counts }: BackendCounts): void {
    this.#add.run(
      backend,
      counts.hits,
      counts.misses,
      counts.fetchedBytes,
      counts.evictedBlocks,
      counts.readaheadHitBlocks,
      counts.readaheadWastedBlocks,
      counts.corruptions,
    );
  }

  all(): BackendCounts[] {
    return this.#all.all().map((row) => ({
      backend: text(row, "backend"),
      hits: integer(row, "hits"),
      misses: integer(row, "misses"),
      fetchedBytes: integer(row, "fetched_bytes"),
      evictedBlocks: integer(row, "evicted_blocks"),
      readaheadHitBlocks: integer(row, "readahead_hit_blocks"),
      readaheadWastedBlocks: integer(row, "readahead_wasted_blocks"),
      corruptions: integer(row, "corruptions"),
    }));
  }
}
