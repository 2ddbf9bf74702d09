/** Bearer tokens that issuers of a test give out, and its services ask about. */

/** What is known of a token. */
export type TokenState = "valid" | "expired" | "unknown";

/**
 * How long stores let in what has ended: a request takes its time on a busy machine, and services
 * allow for clocks, too.
 */
export const LEEWAY_MS = 1_000;

/** All tokens of one test. */
export class TokenBook {
  readonly #ends = new Map<string, number>();

  /** How many were given out. */
  get issued(): number {
    return this.#ends.size;
  }

  /** Every token that was given out. */
  get tokens(): readonly string[] {
    return [...this.#ends.keys()];
  }

  /** Gives one out that ends in `lifetimeMs`. */
  issue(lifetimeMs: number): string {
    const token = `ya29.${crypto.randomUUID()}`;
    this.#ends.set(token, Date.now() + lifetimeMs);
    return token;
  }

  /** Ends all there are, as an operator does who revokes them. */
  revoke(): void {
    for (const token of this.#ends.keys()) this.#ends.set(token, 0);
  }

  stateOf(token: string): TokenState {
    const ends = this.#ends.get(token);
    if (ends === undefined) return "unknown";
    return Date.now() < ends + LEEWAY_MS ? "valid" : "expired";
  }
}
