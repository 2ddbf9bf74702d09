/** What second requests may cost: a share of what is asked for anyway, in requests and in bytes. */

/** Share of the requests, and of the bytes, that may be asked for twice. */
const SHARE = 0.05;
/** Savings end here: a store that slows down after a quiet day is not to be asked for all twice. */
const REQUESTS_SAVED_MAX = 8;
/** Enough for one block, however large. */
const BYTES_SAVED_MAX = 64 * 1024 * 1024;

/** The budget of one backend. */
export class HedgeBudget {
  #requests = 0;
  #bytes = 0;

  /** A range of `bytes` is asked for the first time. */
  earn(bytes: number): void {
    this.#requests = Math.min(REQUESTS_SAVED_MAX, this.#requests + SHARE);
    this.#bytes = Math.min(BYTES_SAVED_MAX, this.#bytes + SHARE * bytes);
  }

  /** Whether `bytes` may be asked for a second time. */
  affords(bytes: number): boolean {
    return this.#requests >= 1 && this.#bytes >= bytes;
  }

  /** `bytes` are asked for a second time. */
  spend(bytes: number): void {
    this.#requests -= 1;
    this.#bytes -= bytes;
  }
}
