/**
 * How many requests to one store are worth having at once: one more per round while they succeed,
 * half when the store asks to slow down or its latency rises (additive increase, multiplicative
 * decrease: Jain and Chiu, 1989, as in TCP).
 *
 * A round ends with each decrease. What a request of an earlier round says was said already: a
 * store that is overloaded tells all that are out.
 */
import { type Backend, BackendError } from "./backend.ts";
import { decorate } from "./decorate.ts";
import { assert } from "../platform/assert.ts";
import type { Clock } from "../platform/clock.ts";

/** Requests at the start; enough to fill a fast link, few enough for a small store. */
export const START = 16;
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
  #running = 0;
  #round = 0;
  #bestMs = Number.POSITIVE_INFINITY;
  #smoothedMs: number | null = null;
  /** Successes until the limit may grow or be judged again. */
  #untilChange: number;
  /** Successes until the store counts as having recovered from asking to slow down. */
  #untilCalm = 0;

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

  /** Whether the store would bear a request that is not strictly needed. */
  get spare(): boolean {
    return this.#running < this.#limit && this.#untilCalm === 0;
  }

  /** A request is sent. Returns its round, and is answered by one call of `ended`. */
  started(): number {
    this.#running += 1;
    return this.#round;
  }

  ended(): void {
    assert(this.#running > 0, "Only a request that was started ends");
    this.#running -= 1;
  }

  /** A read succeeded, whose first byte took `firstByteMs`. To be called before it ended. */
  succeeded(firstByteMs: number): void {
    this.#bestMs = Math.min(this.#bestMs, firstByteMs);
    const smoothedMs = this.#smoothedMs ?? firstByteMs;
    // One that stalled says nothing about the others.
    const sampleMs = Math.min(firstByteMs, LATENCY_RISE * Math.max(smoothedMs, LATENCY_FLOOR_MS));
    this.#smoothedMs = smoothedMs + SMOOTHING * (sampleMs - smoothedMs);
    this.#untilCalm = Math.max(0, this.#untilCalm - 1);
    this.#untilChange -= 1;
    if (this.#untilChange > 0) return;
    const normalMs = Math.max(LATENCY_FLOOR_MS, this.#bestMs);
    if (this.#smoothedMs > LATENCY_RISE * normalMs) {
      this.#halve();
      // The rise may be the new normal: forget the old best slowly.
      this.#bestMs = Math.min(this.#smoothedMs, this.#bestMs * 2);
    } else {
      // What is not used up to its half says nothing about more.
      this.#set(this.#limit + (this.#running * 2 >= this.#limit ? 1 : 0));
    }
  }

  /** The store asked a request of `round` to slow down. */
  throttled(round: number): void {
    if (round < this.#round) return;
    this.#halve();
    this.#untilCalm = this.#limit;
  }

  #halve(): void {
    this.#round += 1;
    this.#set(Math.floor(this.#limit / 2));
  }

  #set(limit: number): void {
    this.#limit = Math.max(1, Math.min(this.#max, limit));
    this.#untilChange = this.#limit;
  }
}

/** `inner` with `limit` told of every attempt. */
export function observed(inner: Backend, limit: AdaptiveLimit, clock: Clock): Backend {
  return decorate(inner, async (call) => {
    const startedMs = clock.monotonicMs();
    let firstByteMs: number | null = null;
    const round = limit.started();
    try {
      const result = await call.run(call.signal, () => {
        firstByteMs ??= clock.monotonicMs() - startedMs;
      });
      // The time of other operations depends on what the store has to look through.
      if (call.operation === "read") {
        limit.succeeded(firstByteMs ?? clock.monotonicMs() - startedMs);
      }
      return result;
    } catch (error) {
      if (error instanceof BackendError && error.code === "throttled") limit.throttled(round);
      throw error;
    } finally {
      limit.ended();
    }
  });
}
