/** Keeps one Entra access token fresh for any number of callers. */
import type { AccessToken, TokenCredential } from "@azure/identity";
import { abortable, AbortScope } from "./abort_scope.ts";
import type { Clock } from "../platform/clock.ts";
import { TaskGroup } from "../platform/limit.ts";

/** How long before its end a token is renewed, so that no request waits for it. */
const RENEW_BEFORE_MS = 5 * 60_000;
/** Pause between renewals, for issuers that keep giving out the same token until it ends. */
const RENEW_PAUSE_MS = 30_000;
/** An issuer that has not answered by then will not. */
const RENEW_TIMEOUT_MS = 30_000;

/** What a token source needs; `onRenewal` hears of every request to the issuer. */
export interface EntraTokenDeps {
  readonly clock: Clock;
  readonly onRenewal: (status: "success" | "failure") => void;
}

interface Held {
  readonly token: AccessToken;
  readonly renewAtMs: number;
}

/**
 * Tokens of one credential and scope. At most one renewal runs at a time. It belongs to no caller:
 * one that gives up does not fail the others.
 */
export class EntraToken implements AsyncDisposable {
  readonly #credential: TokenCredential;
  readonly #scope: string;
  readonly #deps: EntraTokenDeps;
  readonly #closing = new AbortController();
  /** Renewals that nobody waits for; their failures are counted, and a later call tries again. */
  readonly #background = new TaskGroup(() => {});
  #held: Held | null = null;
  #renewal: Promise<AccessToken> | null = null;

  constructor(credential: TokenCredential, scope: string, deps: EntraTokenDeps) {
    this.#credential = credential;
    this.#scope = scope;
    this.#deps = deps;
  }

  /** Whether there ever was a token: then the set-up is right, and a failure will pass. */
  get obtained(): boolean {
    return this.#held !== null;
  }

  /** A token that is valid now; rejects as the credential does when there is none to be had. */
  async get(signal: AbortSignal): Promise<string> {
    const nowMs = this.#deps.clock.wallMs();
    const held = this.#held;
    if (held === null || nowMs >= held.token.expiresOnTimestamp) {
      return (await abortable(this.#renew(), signal)).token;
    }
    if (nowMs < held.renewAtMs) return held.token.token;
    const renewal = this.#renew();
    // Still valid for minutes: use it meanwhile.
    this.#background.add(renewal.then(() => {}));
    return held.token.token;
  }

  /** Forgets `token`, which the service refused, so that the next caller gets another one. */
  discard(token: string): void {
    if (this.#held?.token.token !== token) return;
    this.#held = { token: { ...this.#held.token, expiresOnTimestamp: 0 }, renewAtMs: 0 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#background.settled();
    await this.#renewal?.catch(() => {});
  }

  #renew(): Promise<AccessToken> {
    this.#renewal ??= this.#request().finally(() => {
      this.#renewal = null;
    });
    return this.#renewal;
  }

  async #request(): Promise<AccessToken> {
    const { clock, onRenewal } = this.#deps;
    using scope = new AbortScope(this.#closing.signal);
    const timeout = clock.sleep(RENEW_TIMEOUT_MS, scope.signal).then(
      () => scope.abort(new Error("The issuer of the token does not answer")),
      () => {},
    );
    try {
      const token = await abortable(
        this.#credential.getToken(this.#scope, { abortSignal: scope.signal }).then(requireToken),
        scope.signal,
      );
      this.#held = { token, renewAtMs: renewalTime(token, clock.wallMs()) };
      onRenewal("success");
      return token;
    } catch (error) {
      if (!this.#closing.signal.aborted) onRenewal("failure");
      // Callers ask again all the time: the issuer gets a pause while the old token lasts.
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

function requireToken(token: AccessToken | null): AccessToken {
  if (token === null) throw new Error("The issuer gave out no token");
  return token;
}

function renewalTime(token: AccessToken, nowMs: number): number {
  return Math.max(token.expiresOnTimestamp - RENEW_BEFORE_MS, nowMs + RENEW_PAUSE_MS);
}
