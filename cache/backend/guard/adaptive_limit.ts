/**
 * How many requests to one store are worth having at once: one more per round while they succeed,
 * half when the store asks to slow down or its latency rises (additive increase, multiplicative
 * decrease: Jain and Chiu, 1989, as in TCP).
 *
 * A round ends with each decrease. What a request of an earlier round says was said already, or is
 * out of date: a store that is overloaded tells all that are out.
 */
import { type Backend, BackendError } from "../backend.ts";
import { decorate } from "./decorate.ts";
import { assert } from "../../platform/assert.ts";
import type { Clock } from "../../platform/clock.ts";

/** Requests at the start; enough to fill a fast link, few enough for a small store. */
export const START = 16;
/** A usual latency this many times the best one says that requests queue up in the store. */
const LATENCY_RISE = 4;
/** Latencies below this are noise of our own. */
const LATENCY_FLOOR_MS = 20;
/** What is left of a latency, at most, when it fell because less was asked for. */
const LATENCY_HELPED = 0.75;
/** Fewer successes do not show what is usual. */
const ROUND_MIN = 8;

/** The limit of one store. */
export class AdaptiveLimit {
  readonly #max: number;
  #limit: number;
  #running = 0;
  #round = 0;
  /** Least usual latency of a round. */
  #bestMs = Number.POSITIVE_INFINITY;
  /** The latency that the limit was halved for, in the round before. */
  #halvedForMs: number | null = null;
  /** Of the successes of this round. */
  readonly #latenciesMs: number[] = [];
  /** Successes until the store counts as having recovered from asking to slow down. */
  #untilCalm = 0;

  /** `max` is the most the configuration allows. */
  constructor(max: number) {
    this.#max = max;
    this.#limit = Math.min(START, max);
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

  /** A read of `round` succeeded; its first byte took `firstByteMs`. Before it is `ended`. */
  succeeded(round: number, firstByteMs: number): void {
    // Sent when more was asked for at once, it does not show what asking for less has changed.
    if (round < this.#round) return;
    this.#untilCalm = Math.max(0, this.#untilCalm - 1);
    this.#latenciesMs.push(firstByteMs);
    if (this.#latenciesMs.length >= Math.max(ROUND_MIN, this.#limit)) this.#judge();
  }

  /** The store asked a request of `round` to slow down. */
  throttled(round: number): void {
    if (round < this.#round) return;
    this.#halve();
    this.#untilCalm = this.#limit;
  }

  /** A round of successes is over. */
  #judge(): void {
    // The median: one that stalled says nothing about the others.
    const usualMs = median(this.#latenciesMs);
    const halvedForMs = this.#halvedForMs;
    this.#halvedForMs = null;
    this.#bestMs = Math.min(this.#bestMs, usualMs);
    if (usualMs <= LATENCY_RISE * Math.max(LATENCY_FLOOR_MS, this.#bestMs)) {
      // What is not used up to its half says nothing about more.
      return this.#set(this.#limit + (this.#running * 2 >= this.#limit ? 1 : 0));
    }
    if (halvedForMs !== null && usualMs > LATENCY_HELPED * halvedForMs) {
      // It was not for us that the store got slow: this is how fast it is now.
      this.#bestMs = usualMs;
      return this.#set(this.#limit);
    }
    this.#halve();
    this.#halvedForMs = usualMs;
  }

  #halve(): void {
    this.#round += 1;
    this.#set(Math.floor(this.#limit / 2));
  }

  /** Sets the limit and begins a round. */
  #set(limit: number): void {
    this.#limit = Math.max(1, Math.min(this.#max, limit));
    this.#latenciesMs.length = 0;
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
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
        limit.succeeded(round, firstByteMs ?? clock.monotonicMs() - startedMs);
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
