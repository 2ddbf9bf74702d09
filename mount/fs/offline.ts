/**
 * Answers for a store that does not: what is known of its names, while it is down.
 *
 * ```
 *              an outage, or nothing for PATIENCE_MS
 *   answering ──────────────────────────────────────▶ silent ──offline_ttl──▶ silent, errors only
 *       ▲                                                │                          │
 *       └──────────────────── any answer of the store ◀──┴──────────────────────────┘
 * ```
 *
 * While a store is silent one request in PATIENCE_MS finds out whether it is back; who comes
 * meanwhile is answered from what is known, at once. What nobody knows waits for the store, and
 * fails as it fails. A refusal is an answer: what the store denies is not shown from memory.
 */
import { BackendError } from "../../cache/backend/backend.ts";
import { isPassing } from "../../cache/backend/guard/retry.ts";
import type { KnownNames } from "../../cache/index/known_names.ts";
import type { Clock } from "../../cache/platform/clock.ts";
import type { Logger } from "../../cache/platform/log.ts";
import { formatDuration } from "../../cache/platform/units.ts";
import { FollowedCaller } from "./followed_caller.ts";

/** A store that has said nothing for so long may be down: what is known is better than waiting. */
export const PATIENCE_MS = 5_000;
/** The same for a store that is known to be silent; one that is back answers within this time. */
export const SILENT_PATIENCE_MS = 250;
/** How long an answer from what is known is believed: recovery should show soon. */
export const KNOWN_FRESH_MS = 1_000;

/** An answer, and whose it is. */
export interface Told<T> {
  readonly value: T;
  readonly from: "store" | "known";
}

/** What one backend's outages are met with. */
export interface OfflineDeps {
  readonly backend: string;
  readonly names: KnownNames;
  /** How long known names serve after the store was first found silent; Infinity: for ever. */
  readonly offlineTtlMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborts when the mount ends. */
  readonly signal: AbortSignal;
}

type State =
  | { readonly kind: "answering" }
  | {
    readonly kind: "silent";
    readonly reason: string;
    /** Wall-clock time; of the process that noticed it first. */
    readonly sinceMs: Promise<number>;
    said: "nothing" | "known" | "over";
  };

type Outcome<T> =
  | { readonly kind: "answer"; readonly value: T }
  | { readonly kind: "failure"; readonly error: unknown }
  | { readonly kind: "quiet" };

/** The silences of one store. */
export class Offline {
  /** Names of the backend that outlive its answers. */
  readonly names: KnownNames;
  readonly #deps: OfflineDeps;
  #state: State = { kind: "answering" };
  /** Whether the store has answered this process. */
  #heard = false;
  /** Requests to the store under way. */
  #asking = 0;
  /** When the last of them began, or was given up waiting for, on the monotonic clock. */
  #askedMs = 0;
  #episode = 0;

  constructor(deps: OfflineDeps) {
    this.#deps = deps;
    this.names = deps.names;
  }

  /** Why the store is taken to be silent, and since when; null while it answers. */
  async silence(): Promise<{ readonly reason: string; readonly sinceMs: number } | null> {
    const state = this.#state;
    if (state.kind === "answering") return null;
    return { reason: state.reason, sinceMs: await state.sinceMs };
  }

  /** Counts the times the store fell silent: what was put together in one is of no use later. */
  get episode(): number {
    return this.#episode;
  }

  /**
   * What `request` gives, or, while the store is silent, what `known` finds; null is nothing. A
   * request that is left behind goes on, to find out whether the store is back.
   *
   * @throws what `request` throws, where nothing is known.
   */
  async ask<T>(
    request: (signal: AbortSignal) => Promise<T>,
    known: () => Promise<T | null>,
    signal: AbortSignal,
  ): Promise<Told<T>> {
    if (this.#state.kind === "silent" && this.#isBeingAsked()) {
      const value = await this.#known(known);
      if (value !== null) return { value, from: "known" };
    }
    const caller = new FollowedCaller(signal, this.#deps.signal);
    const answer = this.#request(request, caller);
    try {
      const outcome = await this.#within(answer);
      if (outcome.kind === "answer") return { value: outcome.value, from: "store" };
      if (outcome.kind === "failure" && !isOutage(outcome.error)) throw outcome.error;
      const value = await this.#known(known);
      // Where nothing is known, what has failed fails here, and what is slow is waited for.
      return value === null ? { value: await answer, from: "store" } : { value, from: "known" };
    } finally {
      caller.leave();
    }
  }

  /** Whether the root can be shown while the store is silent. */
  async isRootKnown(): Promise<boolean> {
    const { backend, names } = this.#deps;
    const known = async () => {
      if (await names.listing(backend, "") !== null) return true;
      const cached = await names.cached(backend, "", null);
      return (cached?.entries.length ?? 0) > 0 ? true : null;
    };
    return await this.#known(known) === true;
  }

  /** Takes note that the store did not answer somebody else: the probe at the start. */
  failed(error: unknown): void {
    if (isOutage(error)) this.#fellSilent(error.reason);
  }

  /** A request on a connection that died may hang, and say nothing of a store that is back. */
  #isBeingAsked(): boolean {
    return this.#asking > 0 && this.#deps.clock.monotonicMs() - this.#askedMs < PATIENCE_MS;
  }

  async #request<T>(
    request: (signal: AbortSignal) => Promise<T>,
    caller: FollowedCaller,
  ): Promise<T> {
    using _ended = caller;
    this.#asking += 1;
    this.#askedMs = this.#deps.clock.monotonicMs();
    try {
      const value = await request(caller.signal);
      this.#answered();
      return value;
    } catch (error) {
      if (isOutage(error)) this.#fellSilent(error.reason);
      else if (error instanceof BackendError) this.#answered();
      throw error;
    } finally {
      this.#asking -= 1;
    }
  }

  /** How `answer` came out, unless patience with the store ends first. */
  async #within<T>(answer: Promise<T>): Promise<Outcome<T>> {
    const over = new AbortController();
    const patienceMs = this.#state.kind === "answering" ? PATIENCE_MS : SILENT_PATIENCE_MS;
    const quiet = this.#deps.clock.sleep(patienceMs, over.signal).then(
      () => {
        this.#askedMs = this.#deps.clock.monotonicMs();
        this.#fellSilent(`no answer for ${formatDuration(patienceMs)}`);
        return { kind: "quiet" } as const;
      },
      // The answer came first, and the race with it is over.
      () => new Promise<never>(() => {}),
    );
    const settled = answer.then(
      (value): Outcome<T> => ({ kind: "answer", value }),
      (error: unknown): Outcome<T> => ({ kind: "failure", error }),
    );
    try {
      return await Promise.race([settled, quiet]);
    } finally {
      over.abort();
    }
  }

  async #known<T>(known: () => Promise<T | null>): Promise<T | null> {
    const state = this.#state;
    // The store has answered somebody meanwhile: then it is worth waiting for.
    if (state.kind === "answering") return null;
    const { backend, clock, logger, offlineTtlMs } = this.#deps;
    if (clock.wallMs() - await state.sinceMs >= offlineTtlMs) {
      if (state.said !== "over") {
        const ttl = formatDuration(offlineTtlMs);
        logger.warn("Known names are too old to be shown", { backend, offline_ttl: ttl });
      }
      state.said = "over";
      return null;
    }
    const value = await known();
    if (value !== null && state.said === "nothing" && this.#state === state) {
      state.said = "known";
      const { reason } = state;
      logger.warn("Answer from what is known: the store does not answer", { backend, reason });
    }
    return value;
  }

  #fellSilent(reason: string): void {
    if (this.#state.kind === "silent") return;
    this.#episode += 1;
    this.#state = { kind: "silent", reason, sinceMs: this.#beginSilence(), said: "nothing" };
  }

  /** Now, unless an earlier process has found it silent and none has heard of it since. */
  async #beginSilence(): Promise<number> {
    const { backend, names, clock } = this.#deps;
    const nowMs = clock.wallMs();
    const asked = !this.#heard;
    const knownMs = asked ? await names.silentSinceMs(backend) : null;
    if (knownMs !== null) return Math.min(knownMs, nowMs);
    // It may have answered while the index was asked.
    if (!asked || !this.#heard) names.setSilentSince(backend, nowMs);
    return nowMs;
  }

  #answered(): void {
    const state = this.#state;
    if (!this.#heard || state.kind === "silent") {
      this.#deps.names.setSilentSince(this.#deps.backend, null);
    }
    this.#heard = true;
    this.#state = { kind: "answering" };
    if (state.kind === "answering" || state.said === "nothing") return;
    this.#deps.logger.info("Ask the store for names again: it answers", {
      backend: this.#deps.backend,
    });
  }
}

/** Whether `error` says that nobody answered. */
export function isOutage(error: unknown): error is BackendError {
  return error instanceof BackendError && (isPassing(error) || error.code === "degraded");
}
