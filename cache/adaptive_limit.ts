/**
 * How many requests to one store are worth having at once: additive increase while they succeed,
 * halved when the store asks to slow down or its latency rises (Jain and Chiu, 1989, as in TCP).
 */

/** Requests at the start; enough to fill a fast link, few enough for a small store. */
const START = 16;
/** A smoothed latency this many times the best one says that requests queue up in the store. */
const LATENCY_RISE = 4;
/** Latencies below this are noise of our own. */
const LATENCY_FLOOR_MS = 20;
/** Weight of a new latency in the smoothed one. */
const SMOOTHING = 0.1;

/** The limit of one store. */
export class AdaptiveLimit {
  readonly #max: number;
  #limit: number;
  #bestMs = Number.POSITIVE_INFINITY;
  #smoothedMs = 0;
  /** Successes until the limit may change again: one round of requests. */
  #untilChange = 0;

  /** `max` is the most the configuration allows. */
  constructor(max: number) {
    this.#max = max;
    this.#limit = Math.min(START, max);
    this.#untilChange = this.#limit;
  }

  /** Requests allowed at once. */
  get current(): number {
    return this.#limit;
  }

  /** A request succeeded; `firstByteMs` is its time to the first byte. */
  succeeded(firstByteMs: number): void {
    this.#bestMs = Math.min(this.#bestMs, firstByteMs);
    this.#smoothedMs = this.#smoothedMs === 0
      ? firstByteMs
      : this.#smoothedMs + SMOOTHING * (firstByteMs - this.#smoothedMs);
    this.#untilChange -= 1;
    if (this.#untilChange > 0) return;
    const normalMs = Math.max(LATENCY_FLOOR_MS, this.#bestMs);
    if (this.#smoothedMs > LATENCY_RISE * normalMs) this.#halve();
    else this.#set(this.#limit + 1);
  }

  /** The store asked to slow down. */
  throttled(): void {
    // One slow-down per round: the requests already out would all say the same.
    if (this.#untilChange < this.#limit) this.#halve();
  }

  #halve(): void {
    this.#set(Math.floor(this.#limit / 2));
    // The rise may be the new normal: forget the old best slowly.
    this.#bestMs = Math.min(this.#smoothedMs, this.#bestMs * 2);
  }

  #set(limit: number): void {
    this.#limit = Math.max(1, Math.min(this.#max, limit));
    this.#untilChange = this.#limit;
  }
}
