/** What the network and the store do to the soak, one thing after the other, by a seed. */
import { type Clock } from "../../cache/platform/clock.ts";
import type { FaultProxy } from "../support/fault_proxy.ts";
import { isRead } from "../support/remote_store.ts";
import type { SeededRandom } from "../support/seeded_random.ts";

/** A mount may fail for so long after an outage: it asks again after up to half a minute. */
const GRACE_MS = 45_000;

/** What it is like for a while. Rough weather is to be noticed by nobody who reads. */
export const WEATHER = [
  "calm",
  "calm",
  "latency",
  "resets",
  "cuts",
  "overload",
  "stalls",
  "refused",
  "silent",
] as const;
export type Weather = (typeof WEATHER)[number];

/** Changes the weather. */
export class WeatherMaker {
  /** How often each came. */
  readonly seen = new Map<Weather, number>();
  current: Weather = "calm";
  readonly #proxy: FaultProxy;
  readonly #random: SeededRandom;
  readonly #clock: Clock;
  #outageUntilMs = -Infinity;

  constructor(proxy: FaultProxy, random: SeededRandom, clock: Clock) {
    this.#proxy = proxy;
    this.#random = random;
    this.#clock = clock;
  }

  /** Changes it until `signal` aborts, then heals it. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.current = this.#random.pick(WEATHER);
      this.seen.set(this.current, (this.seen.get(this.current) ?? 0) + 1);
      const seconds = this.#begin(this.current);
      await this.#clock.sleep(seconds * 1_000, signal).catch(() => undefined);
      await this.#end(this.current);
      // Nobody looks at the requests here, of which there are many.
      this.#proxy.seen.length = 0;
    }
    this.current = "calm";
  }

  /** Whether what began at `startMs` and ends now may have failed. */
  mayFail(startMs: number): boolean {
    return this.#isOutage || startMs <= this.#outageUntilMs + GRACE_MS;
  }

  get #isOutage(): boolean {
    return this.current === "refused" || this.current === "silent";
  }

  /** Begins `weather`; seconds it lasts. */
  #begin(weather: Weather): number {
    const proxy = this.#proxy;
    const afterBytes = this.#random.below(2_000_000);
    switch (weather) {
      case "calm":
        return 20 + this.#random.below(40);
      case "latency": {
        const latencyMs = 5 + this.#random.below(60);
        proxy.inject({ kind: "slow", latencyMs, bytesPerSecond: 50_000_000 });
        return 15;
      }
      case "resets":
        proxy.inject({ kind: "reset", afterBytes }, 3, isRead);
        return 10;
      case "cuts":
        proxy.inject({ kind: "cut", afterBytes }, 3, isRead);
        return 10;
      case "overload": {
        const headers = { "retry-after": "1" };
        proxy.inject({ kind: "answer", status: 503, headers, body: "" }, 3);
        return 10;
      }
      case "stalls":
        proxy.inject({ kind: "stall", afterBytes }, 2, isRead);
        return 15;
      case "refused":
        proxy.refuse();
        return 3 + this.#random.below(8);
      case "silent":
        proxy.inject({ kind: "stall", afterBytes: 0 });
        return 5 + this.#random.below(10);
    }
  }

  async #end(weather: Weather): Promise<void> {
    if (weather === "refused" || weather === "silent") {
      this.#outageUntilMs = this.#clock.monotonicMs();
    }
    this.#proxy.heal();
    await this.#proxy.accept();
  }
}
