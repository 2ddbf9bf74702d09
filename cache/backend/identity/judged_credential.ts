/** A credential whose failures say what they mean and what to look at. */
import { issuerFault } from "./issuer_error.ts";
import type { RenewedCredential } from "./renewed_credential.ts";

/** The words for failures. */
export interface CredentialWords {
  /** As in `no access token from Entra`. */
  readonly what: string;
  /** What to look at when the issuer refuses. */
  readonly hint: string;
}

/** One credential of a backend, kept fresh; disposing it ends the renewals. */
export class JudgedCredential<T> implements AsyncDisposable {
  readonly #credential: RenewedCredential<T>;
  readonly #words: CredentialWords;

  constructor(credential: RenewedCredential<T>, words: CredentialWords) {
    this.#credential = credential;
    this.#words = words;
  }

  /** When the one in use ends, in milliseconds since the epoch; null: there is none, or never. */
  get expiresMs(): number | null {
    return this.#credential.expiresMs;
  }

  /**
   * One that is valid now.
   *
   * @throws {StoreFault} when there is none to be had.
   */
  async get(signal: AbortSignal): Promise<T> {
    try {
      return await this.#credential.get(signal);
    } catch (error) {
      signal.throwIfAborted();
      const obtainedBefore = this.#credential.obtained;
      throw issuerFault(error, { ...this.#words, obtainedBefore });
    }
  }

  /** Another one than `refused`, which the service refused; null where none is to be had now. */
  async another(refused: T, signal: AbortSignal): Promise<T | null> {
    try {
      return await this.#credential.another(refused, signal);
    } catch {
      signal.throwIfAborted();
      // What the service said tells more than that there is no other to try.
      return null;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#credential[Symbol.asyncDispose]();
  }
}
