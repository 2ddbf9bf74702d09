/** How long recent reads of one backend went without progress, and what is unusual. */

/** Reads that are remembered. */
const READS_MAX = 256;
/** Fewer say nothing about a tail. */
const READS_MIN = 32;
/** The quantiles are taken anew after as many further reads. */
const REFRESH_READS = 16;
/** A shorter pause may be one of our own event loop. */
const PAUSE_FLOOR_MS = 50;
/**
 * A pause this many times the 95th percentile is unusual, whatever the 99th: when one read in a
 * hundred stalls, the 99th percentile is a stall.
 */
const RISE = 2;

/** The longest pauses of recent reads. */
export class RecentPauses {
  readonly #pausesMs = new Float64Array(READS_MAX);
  #reads = 0;
  #unusualMs: number | null = null;

  /** A read had no longer pause than `pauseMs`, the time to its first byte included. */
  note(pauseMs: number): void {
    this.#pausesMs[this.#reads % READS_MAX] = pauseMs;
    this.#reads += 1;
    if (this.#reads >= READS_MIN && this.#reads % REFRESH_READS === 0) this.#refresh();
  }

  /** The pause that a read has once in a hundred times; null while too little is known. */
  get unusualMs(): number | null {
    return this.#unusualMs;
  }

  #refresh(): void {
    const known = this.#pausesMs.slice(0, Math.min(this.#reads, READS_MAX)).sort();
    const usualMs = Math.min(quantile(known, 0.99), RISE * quantile(known, 0.95));
    this.#unusualMs = Math.max(PAUSE_FLOOR_MS, usualMs);
  }
}

function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
}
