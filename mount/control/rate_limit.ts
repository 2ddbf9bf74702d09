/** How often each user may ask: a token bucket per uid. Pure but for the clock. */
import type { Clock } from "../../cache/platform/clock.ts";

/** How much each user may ask. */
export interface RateSettings {
  readonly perSecond: number;
  /** Requests at once after a pause. */
  readonly burst: number;
  /** Users remembered; beyond, those who asked longest ago are forgotten. */
  readonly usersMax: number;
}

/** Whether a request may be done. */
export type RateVerdict =
  | { readonly kind: "granted" }
  | { readonly kind: "refused"; readonly retryMs: number }
  /** Asked so often that even saying so costs too much. */
  | { readonly kind: "dropped" };

interface Bucket {
  tokens: number;
  filledMs: number;
}

/** The requests of every user. */
export class RateLimit {
  readonly #settings: RateSettings;
  readonly #clock: Clock;
  /** In the order of their last request. */
  readonly #buckets = new Map<number, Bucket>();

  constructor(settings: RateSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  /**
   * Takes a token of `uid`. Refusals cost tokens too, down to minus `burst`: who keeps asking
   * although refused waits longer, and is in the end dropped.
   */
  take(uid: number): RateVerdict {
    const { perSecond, burst, usersMax } = this.#settings;
    const nowMs = this.#clock.monotonicMs();
    const known = this.#buckets.get(uid);
    const bucket = known ?? { tokens: burst, filledMs: nowMs };
    const gained = (nowMs - bucket.filledMs) / 1_000 * perSecond;
    bucket.tokens = Math.min(burst, bucket.tokens + gained);
    bucket.filledMs = nowMs;
    this.#buckets.delete(uid);
    this.#buckets.set(uid, bucket);
    if (known === undefined && this.#buckets.size > usersMax) this.#forgetOldest();
    if (bucket.tokens <= -burst) return { kind: "dropped" };
    const before = bucket.tokens;
    bucket.tokens -= 1;
    if (before >= 1) return { kind: "granted" };
    return { kind: "refused", retryMs: Math.ceil((1 - bucket.tokens) / perSecond * 1_000) };
  }

  #forgetOldest(): void {
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}
