/** What a cache did since it was made, by backend, over all processes that had it. */
import type { DatabaseSync } from "node:sqlite";
import { integer, text } from "./index_rows.ts";

/** What is counted of one backend. */
export interface CacheCounts {
  /** Blocks of reads that came from the cache, and that waited for the store. */
  readonly hits: number;
  readonly misses: number;
  /** Bytes that came from the store. */
  readonly fetchedBytes: number;
  /** Blocks that left to make room. */
  readonly evictedBlocks: number;
}

/** The counts of one backend. */
export interface BackendCounts extends CacheCounts {
  readonly backend: string;
}

/** The counters of one open database. */
export class IndexCounters {
  readonly #add;
  readonly #all;

  constructor(database: DatabaseSync) {
    this.#add = database.prepare(
      `INSERT INTO counters VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET
         hits = hits + excluded.hits,
         misses = misses + excluded.misses,
         fetched_bytes = fetched_bytes + excluded.fetched_bytes,
         evicted_blocks = evicted_blocks + excluded.evicted_blocks`,
    );
    this.#all = database.prepare("SELECT * FROM counters ORDER BY backend");
  }

  add({ backend, hits, misses, fetchedBytes, evictedBlocks }: BackendCounts): void {
    this.#add.run(backend, hits, misses, fetchedBytes, evictedBlocks);
  }

  all(): BackendCounts[] {
    return this.#all.all().map((row) => ({
      backend: text(row, "backend"),
      hits: integer(row, "hits"),
      misses: integer(row, "misses"),
      fetchedBytes: integer(row, "fetched_bytes"),
      evictedBlocks: integer(row, "evicted_blocks"),
    }));
  }
}
