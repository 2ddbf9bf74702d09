/** A link of a fixed speed that all connections of a server share, first come, first served. */
import type { Clock } from "../cache/platform/clock.ts";

/**
 * How far behind the link may fall and still catch up. Timers are late by a millisecond or so; a
 * link that forgot the lost time would be slower than it says.
 */
const CATCH_UP_MS = 10;

/** The link. */
export class SharedBandwidth {
  readonly #bytesPerMs: number;
  readonly #clock: Clock;
  /** When everything asked for so far has gone out. */
  #freeAtMs = 0;

  /** `bytesPerSecond` may be Infinity. */
  constructor(bytesPerSecond: number, clock: Clock) {
    this.#bytesPerMs = bytesPerSecond / 1_000;
    this.#clock = clock;
  }

  /** Resolves when `bytes` more have had their time on the link. */
  async pass(bytes: number, signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs - CATCH_UP_MS) + bytes / this.#bytesPerMs;
    const waitMs = this.#freeAtMs - nowMs;
    if (waitMs > 0) await this.#clock.sleep(waitMs, signal);
  }
}
