/**
 * What the cache counts: told to the metrics of this process at once, and kept by backend until it
 * is committed to the index.
 */
import type { BackendCounts } from "../index/counters.ts";
import type { CacheMetrics } from "../metrics/telemetry.ts";

type Counts = { -readonly [Key in Exclude<keyof BackendCounts, "backend">]: number };

/** Counts that wait for their commit; one entry for each backend. */
export class CacheCounts {
  readonly #metrics: CacheMetrics;
  readonly #counts = new Map<string, Counts>();

  constructor(metrics: CacheMetrics) {
    this.#metrics = metrics;
  }

  /** Blocks of a read that came from the cache, and that waited for the store. */
  read(backend: string, hits: number, misses: number): void {
    if (hits > 0) this.#metrics.hit(hits);
    if (misses > 0) this.#metrics.miss(misses);
    const counts = this.#of(backend);
    counts.hits += hits;
    counts.misses += misses;
  }

  fetched(backend: string, bytes: number): void {
    this.#of(backend).fetchedBytes += bytes;
  }

  evicted(backend: string, blocks: number): void {
    this.#metrics.evicted(blocks);
    this.#of(backend).evictedBlocks += blocks;
  }

  readaheadHit(backend: string, blocks: number): void {
    this.#metrics.readaheadHit(blocks);
    this.#of(backend).readaheadHitBlocks += blocks;
  }

  readaheadWasted(backend: string, blocks: number): void {
    if (blocks === 0) return;
    this.#metrics.readaheadWasted(blocks);
    this.#of(backend).readaheadWastedBlocks += blocks;
  }

  /** A chunk, or a whole file, was not as it was left. */
  corrupted(backend: string): void {
    this.#metrics.corrupted(1);
    this.#of(backend).corruptions += 1;
  }

  /** Takes everything that waits. */
  take(): BackendCounts[] {
    const counts = [...this.#counts].map(([backend, counts]) => ({ backend, ...counts }));
    this.#counts.clear();
    return counts;
  }

  #of(backend: string): Counts {
    let counts = this.#counts.get(backend);
    if (counts === undefined) {
      counts = {
        hits: 0,
        misses: 0,
        fetchedBytes: 0,
        evictedBlocks: 0,
        readaheadHitBlocks: 0,
        readaheadWastedBlocks: 0,
        corruptions: 0,
      };
      this.#counts.set(backend, counts);
    }
    return counts;
  }
}
