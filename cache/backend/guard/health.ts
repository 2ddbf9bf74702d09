/**
 * Keeps a store that is down from making everybody wait.
 *
 * ```
 *             3rd outage in a row (record)
 *   healthy ------------------------------> degraded
 *      ^                                       |
 *      +---------------------------------------+
 *        the store answers (record, probe loop)
 * ```
 *
 * An outage is an operation that ended `unavailable`, `throttled` or with `timeout` after its
 * retries. Any other answer, a refusal included, shows that the store is there. While degraded,
 * operations fail at once with `degraded` and one background loop probes the store.
 */
import { AbortScope } from "../abort_scope.ts";
import { type Backend, BackendError } from "../backend.ts";
import { type Call, decorate } from "./decorate.ts";
import { isPassing } from "./retry.ts";
import type { Clock } from "../../platform/clock.ts";
import { TaskGroup } from "../../platform/limit.ts";
import type { Logger } from "../../platform/log.ts";
import { formatDuration } from "../../platform/units.ts";

/** Outages in a row after which a backend counts as degraded. */
export const OUTAGES_MAX = 3;
/** Pause before the first probe; it doubles after each one that fails. */
export const PROBE_PAUSE_FIRST_MS = 1_000;
export const PROBE_PAUSE_MAX_MS = 30_000;

/** What is known of a store. */
export type HealthState =
  /** `latencyMs` of the last listing or stat; null until there was one. */
  | { readonly state: "healthy"; readonly latencyMs: number | null }
  /** `sinceMs` in milliseconds since the Unix epoch; `reason` of the last failure. */
  | { readonly state: "degraded"; readonly sinceMs: number; readonly reason: string };

/** Health of one backend, for status reports and health checks. */
export interface BackendHealth {
  readonly state: HealthState;
  /**
   * Asks the store now, once, and takes note of the answer.
   *
   * @throws {BackendError} when it does not answer as it should.
   */
  check(signal: AbortSignal): Promise<void>;
}

/** What guards a backend: `probe` is one cheap request with a deadline of its own. */
export interface HealthDeps {
  readonly probe: (signal: AbortSignal) => Promise<unknown>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Watches the operations of one backend and stops them while its store is down. */
export class HealthGuard implements BackendHealth {
  /** The guarded backend; closing it ends the probing and closes the inner one. */
  readonly backend: Backend;
  readonly #deps: HealthDeps;
  readonly #closing = new AbortController();
  readonly #probing: TaskGroup;
  /** Aborted by the answer that ends the time of being degraded; null before the first time. */
  #episode: AbortScope | null = null;
  #state: HealthState = { state: "healthy", latencyMs: null };
  #outages = 0;

  constructor(inner: Backend, deps: HealthDeps) {
    this.#deps = deps;
    this.#probing = new TaskGroup((error) =>
      deps.logger.error("Probing a backend ended", { backend: inner.name, error })
    );
    const guarded = decorate(inner, (call) => this.#guard(call));
    this.backend = {
      ...guarded,
      // The root is known without asking the store, so its answer says nothing and always comes.
      stat: (path, signal) => path === "" ? inner.stat(path, signal) : guarded.stat(path, signal),
      [Symbol.asyncDispose]: async () => {
        this.#closing.abort();
        await this.#probing.settled();
        await inner[Symbol.asyncDispose]();
      },
    };
  }

  get state(): HealthState {
    return this.#state;
  }

  async check(signal: AbortSignal): Promise<void> {
    const startedMs = this.#deps.clock.monotonicMs();
    try {
      await this.#deps.probe(signal);
    } catch (error) {
      if (!signal.aborted) this.#record(error);
      throw error;
    }
    this.#answered(this.#deps.clock.monotonicMs() - startedMs);
  }

  async #guard<T>(call: Call<T>): Promise<T> {
    if (this.#state.state === "degraded") throw this.#refusal(call, this.#state);
    const startedMs = this.#deps.clock.monotonicMs();
    try {
      const result = await call.run(call.signal, () => {});
      const elapsedMs = this.#deps.clock.monotonicMs() - startedMs;
      // The time of other operations depends on how many bytes they move.
      this.#answered(call.operation === "list" || call.operation === "stat" ? elapsedMs : null);
      return result;
    } catch (error) {
      // A caller that gave up says nothing about the store.
      if (!call.signal.aborted) this.#record(error);
      throw error;
    }
  }

  #refusal<T>(call: Call<T>, state: HealthState & { state: "degraded" }): BackendError {
    const sinceMs = Math.max(0, this.#deps.clock.wallMs() - state.sinceMs);
    return new BackendError(
      "degraded",
      this.backend.name,
      call.operation,
      call.path,
      `the store has not answered for ${formatDuration(sinceMs)} (${state.reason})`,
      "Check the store and the network; the backend is probed and comes back by itself",
    );
  }

  /** Takes note of a failed operation. */
  #record(error: unknown): void {
    if (!(error instanceof BackendError)) return;
    if (!isPassing(error)) return this.#answered(null);
    this.#outages += 1;
    if (this.#state.state === "degraded") {
      this.#state = { ...this.#state, reason: error.reason };
    } else if (this.#outages >= OUTAGES_MAX && !this.#closing.signal.aborted) {
      this.#state = {
        state: "degraded",
        sinceMs: this.#deps.clock.wallMs(),
        reason: error.reason,
      };
      this.#deps.logger.warn("Backend is degraded: its operations fail until it answers again", {
        backend: this.backend.name,
        reason: error.reason,
      });
      this.#episode = new AbortScope(this.#closing.signal);
      this.#probing.add(this.#probeUntil(this.#episode));
    }
  }

  /** Takes note that the store answered, in `latencyMs` if that was measured. */
  #answered(latencyMs: number | null): void {
    this.#outages = 0;
    if (this.#state.state === "degraded") {
      const downMs = Math.max(0, this.#deps.clock.wallMs() - this.#state.sinceMs);
      this.#state = { state: "healthy", latencyMs };
      this.#episode?.abort(new Error("The store answered"));
      this.#deps.logger.info("Backend answers again", {
        backend: this.backend.name,
        down_seconds: downMs / 1000,
      });
    } else if (latencyMs !== null) {
      this.#state = { state: "healthy", latencyMs };
    }
  }

  async #probeUntil(episode: AbortScope): Promise<void> {
    using scope = episode;
    const { signal } = scope;
    let pauseMs = PROBE_PAUSE_FIRST_MS;
    while (!signal.aborted) {
      try {
        await this.#deps.clock.sleep(pauseMs, signal);
        await this.check(signal);
      } catch (error) {
        // Giving up on a bug would leave the backend degraded for good.
        if (!signal.aborted && !(error instanceof BackendError)) {
          this.#deps.logger.error("Probing a backend failed", {
            backend: this.backend.name,
            error,
          });
        }
      }
      pauseMs = Math.min(pauseMs * 2, PROBE_PAUSE_MAX_MS);
    }
  }
}
