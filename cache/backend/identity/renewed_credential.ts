/** Keeps one credential that ends fresh for any number of callers. */
import { abortable, AbortScope } from "../abort_scope.ts";
import type { Clock } from "../../platform/clock.ts";
import { TaskGroup } from "../../platform/limit.ts";

/** How long before its end a credential is renewed at most, so that no request waits for it. */
const RENEW_BEFORE_MS = 5 * 60_000;
/** Share of its lifetime that is left then, for credentials that live shorter. */
const RENEW_SHARE = 1 / 4;
/** Pause after a renewal that failed, while the old credential lasts. */
const RENEW_PAUSE_MS = 30_000;
/** An issuer that has not answered by then will not. */
const RENEW_TIMEOUT_MS = 30_000;

/** What renewals need; `onRenewal` hears of every request to the issuer. */
export interface RenewalDeps {
  readonly clock: Clock;
  readonly onRenewal: (status: "success" | "failure") => void;
}

/** What an issuer gave out, and when it ends, in milliseconds since the epoch; Infinity: never. */
export interface Issued<T> {
  readonly value: T;
  readonly expiresMs: number;
}

interface Held<T> {
  readonly issued: Issued<T>;
  readonly renewAtMs: number;
}

/**
 * Credentials that `issue` gives out. At most one renewal runs at a time. It belongs to no caller:
 * one that gives up does not fail the others.
 */
export class RenewedCredential<T> implements AsyncDisposable {
  readonly #issue: (signal: AbortSignal) => Promise<Issued<T>>;
  readonly #deps: RenewalDeps;
  readonly #closing = new AbortController();
  /** Renewals that nobody waits for; their failures are counted, and a later call tries again. */
  readonly #background = new TaskGroup(() => {});
  #held: Held<T> | null = null;
  #renewal: Promise<T> | null = null;

  constructor(issue: (signal: AbortSignal) => Promise<Issued<T>>, deps: RenewalDeps) {
    this.#issue = issue;
    this.#deps = deps;
  }

  /** Whether there ever was one: then the set-up is right, and a failure will pass. */
  get obtained(): boolean {
    return this.#held !== null;
  }

  /** One that is valid now; rejects as `issue` does when there is none to be had. */
  async get(signal: AbortSignal): Promise<T> {
    const nowMs = this.#deps.clock.wallMs();
    const held = this.#held;
    if (held === null || nowMs >= held.issued.expiresMs) {
      return await abortable(this.#renew(), signal);
    }
    if (nowMs < held.renewAtMs) return held.issued.value;
    const renewal = this.#renew();
    // Still valid for a while: use it meanwhile.
    this.#background.add(renewal.then(() => {}));
    return held.issued.value;
  }

  /** Forgets `value`, which the service refused, so that the next caller gets another one. */
  discard(value: T): void {
    if (this.#held?.issued.value !== value) return;
    this.#held = { issued: { value, expiresMs: 0 }, renewAtMs: 0 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#background.settled();
    await this.#renewal?.catch(() => {});
  }

  #renew(): Promise<T> {
    this.#renewal ??= this.#request().finally(() => {
      this.#renewal = null;
    });
    return this.#renewal;
  }

  async #request(): Promise<T> {
    const { clock, onRenewal } = this.#deps;
    using scope = new AbortScope(this.#closing.signal);
    const timeout = clock.sleep(RENEW_TIMEOUT_MS, scope.signal).then(
      () => scope.abort(new Error("The issuer does not answer")),
      () => {},
    );
    try {
      const issued = await abortable(this.#issue(scope.signal), scope.signal);
      this.#held = { issued, renewAtMs: renewalTime(issued.expiresMs, clock.wallMs()) };
      onRenewal("success");
      return issued.value;
    } catch (error) {
      if (!this.#closing.signal.aborted) onRenewal("failure");
      // Callers ask again all the time: the issuer gets a pause while the old one lasts.
      if (this.#held !== null) {
        this.#held = { ...this.#held, renewAtMs: clock.wallMs() + RENEW_PAUSE_MS };
      }
      throw error;
    } finally {
      scope.abort(new Error("The renewal is over"));
      await timeout;
    }
  }
}

function renewalTime(expiresMs: number, nowMs: number): number {
  return expiresMs - Math.min(RENEW_BEFORE_MS, (expiresMs - nowMs) * RENEW_SHARE);
}
