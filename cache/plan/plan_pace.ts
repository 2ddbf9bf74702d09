/** How fast a plan is read, and when each of its reads is due at that pace. */

/** Shortest time over which a pace is measured. */
const SAMPLE_MS = 1_000;
/** What the last sample counts. */
const WEIGHT = 0.3;
/** A pace counts as another when it differs by this factor, */
const OFF_FACTOR = 1.25;
/** or when what is read now was expected so much earlier or later. */
const OFF_MS = 5_000;
/** Before anything is known: a position is a millisecond. */
const UNKNOWN_MS = 1;

/** The pace of one plan. Times are of a monotonic clock. */
export class PlanPace {
  #sample: { readonly position: number; readonly sinceMs: number };
  #lastMs: number;
  #readMs: number | null = null;
  /** The line that times are read from: it changes only on `follow`. */
  #line: { readonly position: number; readonly atMs: number; readonly readMs: number };

  constructor(nowMs: number) {
    this.#sample = { position: 0, sinceMs: nowMs };
    this.#lastMs = nowMs;
    this.#line = { position: 0, atMs: nowMs, readMs: UNKNOWN_MS };
  }

  /** Reads per second, or null before there is a measure. */
  get readsPerSecond(): number | null {
    return this.#readMs === null ? null : 1_000 / this.#readMs;
  }

  /** Everything before `position` is read. */
  advanced(position: number, nowMs: number): void {
    this.#lastMs = nowMs;
    const { position: from, sinceMs } = this.#sample;
    const elapsedMs = nowMs - sinceMs;
    if (elapsedMs < SAMPLE_MS && position >= from) return;
    this.#sample = { position, sinceMs: nowMs };
    if (position <= from) return;
    const readMs = elapsedMs / (position - from);
    this.#readMs = this.#readMs === null ? readMs : WEIGHT * readMs + (1 - WEIGHT) * this.#readMs;
  }

  /** When `position` is due, by the line of the last `follow`. */
  dueMs(position: number): number {
    const { position: from, atMs, readMs } = this.#line;
    return atMs + (position - from) * readMs;
  }

  /**
   * Draws the line anew from `position`, which is read now, when it is off; whether it was. Times
   * given out before are then wrong.
   */
  follow(position: number, nowMs: number): boolean {
    // A reader that has stopped is at least this slow.
    const stoppedMs = nowMs - this.#lastMs;
    const readMs = Math.max(this.#readMs ?? UNKNOWN_MS, stoppedMs > SAMPLE_MS ? stoppedMs : 0);
    const factor = readMs / this.#line.readMs;
    const offMs = Math.abs(this.dueMs(position) - nowMs);
    if (factor < OFF_FACTOR && factor > 1 / OFF_FACTOR && offMs < OFF_MS) return false;
    this.#line = { position, atMs: nowMs, readMs };
    return true;
  }
}
