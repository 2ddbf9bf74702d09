/**
 * Who still waits for the fetches of one object: its readers, and its read-ahead while it is open.
 *
 *     wanted ──the last one leaves──▶ lingering ──5 s──▶ given up
 *        ▲                                │
 *        └───────somebody comes back──────┘
 *
 * A fetch lingers because a reader that a timer signal interrupts asks again within milliseconds.
 */
import type { Fetch } from "./fetch.ts";
import type { Clock } from "../platform/clock.ts";
import type { TaskGroup } from "../platform/limit.ts";

/** A fetch nobody waits for any more goes on this long. */
const LINGER_MS = 5_000;

interface Interest {
  readers: number;
  ahead: boolean;
  /** Ends the lingering, while nobody waits. */
  linger: AbortController | null;
}

/** What following who waits needs. */
export interface WantedFetchesDeps {
  readonly clock: Clock;
  readonly tasks: TaskGroup;
  /** Nobody has waited for `fetch` long enough: it is to end. */
  readonly onUnwanted: (fetch: Fetch) => void;
}

/** Fetches under way with those who wait for them. */
export class WantedFetches {
  readonly #deps: WantedFetchesDeps;
  readonly #interests = new Map<Fetch, Interest>();

  constructor(deps: WantedFetchesDeps) {
    this.#deps = deps;
  }

  /** `fetch` was started; to be followed by who wants it, before anything is waited for. */
  started(fetch: Fetch): void {
    this.#interests.set(fetch, { readers: 0, ahead: false, linger: null });
  }

  /** A reader waits for `fetch`, until it leaves. */
  enter(fetch: Fetch): void {
    const interest = this.#interests.get(fetch);
    if (interest === undefined) return;
    interest.readers += 1;
    interest.linger?.abort();
    interest.linger = null;
  }

  /** A reader has what it waited for, or gave up. */
  leave(fetch: Fetch): void {
    const interest = this.#interests.get(fetch);
    if (interest === undefined) return;
    interest.readers -= 1;
    this.#lingerIfUnwanted(fetch, interest);
  }

  /** `fetch` is likely to be read by who has the object open. */
  wantAhead(fetch: Fetch): void {
    const interest = this.#interests.get(fetch);
    if (interest !== undefined) interest.ahead = true;
  }

  /** Nobody has the object open any more: what was fetched ahead of its readers is for nobody. */
  closed(): void {
    for (const [fetch, interest] of this.#interests) {
      interest.ahead = false;
      this.#lingerIfUnwanted(fetch, interest);
    }
  }

  /** `fetch` has arrived or failed, and what came of it was put away. */
  ended(fetch: Fetch): void {
    this.#interests.get(fetch)?.linger?.abort();
    this.#interests.delete(fetch);
  }

  #lingerIfUnwanted(fetch: Fetch, interest: Interest): void {
    if (interest.readers > 0 || interest.ahead || interest.linger !== null) return;
    if (fetch.state.kind !== "queued" && fetch.state.kind !== "running") return;
    // All of it has arrived, and its read is about to end.
    if (fetch.filledBytes === fetch.lengthBytes) return;
    const linger = new AbortController();
    interest.linger = linger;
    this.#deps.tasks.add(this.#linger(fetch, linger.signal));
  }

  async #linger(fetch: Fetch, signal: AbortSignal): Promise<void> {
    try {
      await this.#deps.clock.sleep(LINGER_MS, signal);
    } catch {
      return; // Somebody came back, or it has ended.
    }
    this.#interests.delete(fetch);
    this.#deps.onUnwanted(fetch);
  }
}
