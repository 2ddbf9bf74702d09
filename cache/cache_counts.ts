/** What was counted since the last commit, by backend. */
import type { BackendCounts } from "./index_counters.ts";

interface Counts {
  hits: number;
  misses: number;
  fetchedBytes: number;
  evictedBlocks: number;
}

/** Counts that wait for their commit; one entry for each backend. */
export class CacheCounts {
  readonly #counts = new Map<string, Counts>();

  read(backend: string, hits: number, misses: number): void {
    const counts = this.#of(backend);
    counts.hits += hits;
    counts.misses += misses;
  }

  fetched(backend: string, bytes: number): void {
    this.#of(backend).fetchedBytes += bytes;
  }

  evicted(backend: string, blocks: number): void {
    this.#of(backend).evictedBlocks += blocks;
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
      counts = { hits: 0, misses: 0, fetchedBytes: 0, evictedBlocks: 0 };
      this.#counts.set(backend, counts);
    }
    return counts;
  }
}
