/** Keeps one credential fresh for any number of callers. */
import { abortable, withTimeout } from "../abort_scope.ts";
import { StoreFault } from "../store_fault.ts";
import { isBusy, IssuerError } from "./issuer_error.ts";
import type { Clock } from "../../platform/clock.ts";
import { TaskGroup } from "../../platform/limit.ts";

/** How long before its end a credential is renewed at most, so that no request waits for it. */
const RENEW_BEFORE_MS = 5 * 60_000;
/** Share of its lifetime that is left then, for credentials that live shorter. */
const RENEW_SHARE = 1 / 4;
/**
 * Share of that time over which renewals are spread, so that a thousand machines that were started
 * together do not ask together. Later, never earlier: issuers that keep what they gave out do so
 * until five minutes before it ends, and would give out the same again.
 */
const JITTER_SHARE = 1 / 5;
/** Pauses before a busy issuer is asked again. */
const BUSY_PAUSES_MS = [1_000, 2_000, 4_000] as const;
/** Pause after a renewal that failed for good, while the old credential lasts, at most. */
const RENEW_PAUSE_MS = 30_000;
/** Pause before another one that the service refuses is taken for a reason to ask the issuer. */
const REFUSED_PAUSE_MS = 10_000;
/** Pause after one that failed where no credential is left: everybody waits for the next one. */
const RETRY_PAUSE_MS = 1_000;
/** An issuer that has not answered by then will not. */
const RENEW_TIMEOUT_MS = 30_000;
/** What to do about one that is silent. */
const SILENT_HINT =
  "Check the network to the issuer: the AWS SDK goes there without a proxy, all " +
  "others by that of HTTPS_PROXY";

/** Who gave out a credential; the label of its renewals in metrics. */
export type AuthProvider =
  /** Entra, by whatever way: managed and workload identities, applications, the Azure CLI. */
  | "entra"
  /** The chain of the AWS tools, or a profile of theirs. */
  | "aws"
  /** A role of AWS, for a token of another issuer. */
  | "aws_sts"
  | "gcp"
  | "gcp_wif"
  /** A secret in a vault. */
  | "keyvault"
  /** A secret in a file or variable. */
  | "static"
  /** Nobody: requests are anonymous. */
  | "none";

/** What renewals need; `random` gives numbers in [0, 1). */
export interface RenewalDeps {
  readonly clock: Clock;
  readonly random: () => number;
  /** Hears of every request to the issuer. */
  readonly onRenewal: (status: "success" | "failure", provider: AuthProvider) => void;
}

/** What an issuer gave out, and when it ends, in milliseconds since the epoch; Infinity: never. */
export interface Issued<T> {
  readonly value: T;
  readonly expiresMs: number;
  /** After so long it is asked for again although it has not ended: somebody may replace it. */
  readonly renewAfterMs?: number;
}

interface Held<T> {
  readonly issued: Issued<T>;
  readonly renewAtMs: number;
}

/** Why there was none, and until when callers are told so without a new request. */
interface Failure {
  readonly error: unknown;
  readonly untilMs: number;
}

/**
 * Credentials that `issue` gives out. At most one renewal runs at a time. It belongs to no caller:
 * one that gives up does not fail the others.
 */
export class RenewedCredential<T> implements AsyncDisposable {
  readonly #provider: AuthProvider;
  readonly #issue: (signal: AbortSignal) => Promise<Issued<T>>;
  readonly #deps: RenewalDeps;
  readonly #owned: AsyncDisposable | null;
  readonly #closing = new AbortController();
  /** Renewals that nobody waits for; their failures are counted, and a later call tries again. */
  readonly #background = new TaskGroup(() => {});
  #held: Held<T> | null = null;
  #failure: Failure | null = null;
  #renewal: Promise<T> | null = null;
  /** From when on a refusal of the one in use is a reason to ask the issuer. */
  #replaceableMs = -Infinity;

  /**
   * `issue` throws an `IssuerError` with a status for the busy issuer that is asked again; `owned`
   * is what it stands on, such as the token it shows, and is disposed with it.
   */
  constructor(
    provider: AuthProvider,
    issue: (signal: AbortSignal) => Promise<Issued<T>>,
    deps: RenewalDeps,
    owned: AsyncDisposable | null = null,
  ) {
    this.#owned = owned;
    this.#provider = provider;
    this.#issue = issue;
    this.#deps = deps;
  }

  /** Whether there ever was one: then the set-up was right. */
  get obtained(): boolean {
    return this.#held !== null;
  }

  /** When the one in use ends, in milliseconds since the epoch; null: there is none, or never. */
  get expiresMs(): number | null {
    const expiresMs = this.#held?.issued.expiresMs ?? Infinity;
    return Number.isFinite(expiresMs) ? expiresMs : null;
  }

  /** One that is valid now; rejects as `issue` does when there is none to be had. */
  async get(signal: AbortSignal): Promise<T> {
    const nowMs = this.#deps.clock.wallMs();
    const held = this.#held;
    if (held === null || nowMs >= held.issued.expiresMs) {
      if (this.#failure !== null && nowMs < this.#failure.untilMs) throw this.#failure.error;
      return await abortable(this.#renew(), signal);
    }
    if (nowMs < held.renewAtMs) return held.issued.value;
    const renewal = this.#renew();
    // Still valid for a while: use it meanwhile.
    this.#background.add(renewal.then(() => {}));
    return held.issued.value;
  }

  /**
   * Another one than `refused`, which the service refused; rejects as `get` does. Null where there
   * is no other, and when it is not long since one was replaced: then what the service minds is not
   * the age of a credential. Everybody else goes on with the refused one meanwhile, because the
   * service may only have minded what it was asked for.
   */
  async another(refused: T, signal: AbortSignal): Promise<T | null> {
    const held = this.#held;
    if (held === null || held.issued.value !== refused) return await this.get(signal);
    const { expiresMs, renewAfterMs } = held.issued;
    if (expiresMs === Infinity && renewAfterMs === undefined) return null;
    if (this.#renewal === null) {
      const nowMs = this.#deps.clock.wallMs();
      if (nowMs < this.#replaceableMs) return null;
      const pauseMs = Math.max(0, expiresMs - nowMs) * RENEW_SHARE;
      this.#replaceableMs = nowMs + Math.min(REFUSED_PAUSE_MS, pauseMs);
    }
    const value = await abortable(this.#renew(), signal);
    return value === refused ? null : value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#background.settled();
    await this.#renewal?.catch(() => {});
    await this.#owned?.[Symbol.asyncDispose]();
  }

  #renew(): Promise<T> {
    this.#renewal ??= this.#obtain().finally(() => {
      this.#renewal = null;
    });
    return this.#renewal;
  }

  async #obtain(): Promise<T> {
    const { clock, random } = this.#deps;
    try {
      const issued = await this.#request();
      const nowMs = clock.wallMs();
      // By a clock that is ahead it may have ended already, and the service does not think so.
      const expiresMs = Math.max(issued.expiresMs, nowMs + RETRY_PAUSE_MS);
      this.#held = {
        issued: { ...issued, expiresMs },
        renewAtMs: renewalTime({ ...issued, expiresMs }, nowMs, random()),
      };
      this.#failure = null;
      return issued.value;
    } catch (error) {
      // Callers ask again all the time: the issuer gets a pause.
      const nowMs = clock.wallMs();
      this.#failure = { error, untilMs: nowMs + RETRY_PAUSE_MS };
      this.#replaceableMs = this.#failure.untilMs;
      if (this.#held !== null) {
        const leftMs = this.#held.issued.expiresMs - nowMs;
        const pauseMs = Math.min(RENEW_PAUSE_MS, Math.max(RETRY_PAUSE_MS, leftMs * RENEW_SHARE));
        this.#held = { ...this.#held, renewAtMs: nowMs + pauseMs };
      }
      throw error;
    }
  }

  /** Asks the issuer, and again while it is busy. */
  async #request(): Promise<Issued<T>> {
    const { clock } = this.#deps;
    for (const pauseMs of BUSY_PAUSES_MS) {
      try {
        return await this.#requestOnce();
      } catch (error) {
        if (!isBusy(error)) throw error;
      }
      await clock.sleep(pauseMs, this.#closing.signal);
    }
    return await this.#requestOnce();
  }

  async #requestOnce(): Promise<Issued<T>> {
    const { clock, onRenewal } = this.#deps;
    const closing = this.#closing.signal;
    // Not every library heeds the signal.
    const issue = (signal: AbortSignal) => abortable(this.#issue(signal), signal);
    try {
      const issued = await withTimeout(closing, RENEW_TIMEOUT_MS, clock, silentIssuer, issue);
      onRenewal("success", this.#provider);
      return issued;
    } catch (error) {
      if (!closing.aborted) onRenewal("failure", this.#provider);
      throw error;
    }
  }
}

/** The failure of an issuer that says nothing, which refuses nobody. */
function silentIssuer(): IssuerError {
  const message = "the issuer does not answer";
  const fault = new StoreFault("unavailable", message, SILENT_HINT);
  return new IssuerError(message, null, { cause: fault });
}

/** When to ask for the successor of `issued`, given out at `nowMs`; `random` is in [0, 1). */
function renewalTime<T>(issued: Issued<T>, nowMs: number, random: number): number {
  const { expiresMs, renewAfterMs = Infinity } = issued;
  const leadMs = Math.min(RENEW_BEFORE_MS, (expiresMs - nowMs) * RENEW_SHARE);
  const laterMs = random * JITTER_SHARE;
  return Math.min(expiresMs - leadMs * (1 - laterMs), nowMs + renewAfterMs * (1 + laterMs));
}
