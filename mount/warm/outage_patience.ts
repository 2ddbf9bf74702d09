/**
 * Tries again while a store does not answer: an outage of some minutes is no reason to leave a
 * hundred thousand files out. Each store is waited for on its own.
 */
import type { Clock } from "../../cache/platform/clock.ts";
import { isOutage } from "../fs/offline.ts";

/** Between two tries. The backend itself has tried several times and for longer by then. */
const RETRY_MS = 2_000;
/** A store that has been silent for so long is not waited for any more, until it answers. */
const PATIENCE_MS = 300_000;

/** Thrown by what may succeed a little later, for another reason than that a store is silent. */
export class NotNow extends Error {
  override readonly name = "NotNow";
}

interface Silence {
  readonly sinceMs: number;
  readonly reason: string;
}

/** The stores that do not answer one job. */
export class OutagePatience {
  readonly #clock: Clock;
  readonly #silences = new Map<string, Silence>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Why the job waits; null while every store answers, or is not waited for any more. */
  get waitingFor(): string | null {
    for (const { sinceMs, reason } of this.#silences.values()) {
      if (this.#isPatient(sinceMs)) return reason;
    }
    return null;
  }

  /**
   * What `attempt` gives, which asks `backend`.
   *
   * @throws what it throws, an outage and `NotNow` only after patience has run out.
   */
  async run<T>(backend: string, attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (;;) {
      try {
        const value = await attempt();
        this.#silences.delete(backend);
        return value;
      } catch (error) {
        signal.throwIfAborted();
        if (!isOutage(error) && !(error instanceof NotNow)) throw error;
        const silence = this.#silences.get(backend) ??
          { sinceMs: this.#clock.monotonicMs(), reason: error.message };
        this.#silences.set(backend, silence);
        if (!this.#isPatient(silence.sinceMs)) throw error;
      }
      await this.#clock.sleep(RETRY_MS, signal);
    }
  }

  #isPatient(sinceMs: number): boolean {
    return this.#clock.monotonicMs() - sinceMs < PATIENCE_MS;
  }
}
