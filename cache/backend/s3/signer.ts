/** Signatures of requests to S3 (AWS Signature Version 4), with credentials kept fresh. */
import { createHash, createHmac } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";
import type {
  AwsCredentialIdentity,
  HttpRequest,
  RequestSigner,
  RequestSigningArguments,
  SourceData,
} from "@smithy/types";
import type { JudgedCredential } from "../identity/judged_credential.ts";
import { assert } from "../../platform/assert.ts";

/** Signs requests of one backend, or lets them pass unsigned where it reads a public bucket. */
export class S3Signer implements RequestSigner, AsyncDisposable {
  readonly #credential: JudgedCredential<AwsCredentialIdentity> | null;
  readonly #signature: SignatureV4;
  #current: AwsCredentialIdentity | null = null;

  constructor(region: string, credential: JudgedCredential<AwsCredentialIdentity> | null) {
    this.#credential = credential;
    this.#signature = new SignatureV4({
      service: "s3",
      region,
      sha256: Sha256,
      // S3 alone wants paths escaped once, not twice.
      uriEscapePath: false,
      credentials: () => {
        assert(this.#current !== null, "Requests are signed after prepare()");
        return Promise.resolve(this.#current);
      },
    });
  }

  /** When the credentials in use end, in milliseconds since the epoch; null: never, or unknown. */
  get expiresMs(): number | null {
    return this.#credential?.expiresMs ?? null;
  }

  /**
   * Makes sure that there are valid credentials, and returns those that requests are signed with
   * from now on; null where they are not. Rejects as their source does.
   */
  async prepare(signal: AbortSignal): Promise<AwsCredentialIdentity | null> {
    if (this.#credential !== null) this.#current = await this.#credential.get(signal);
    return this.#current;
  }

  /** Signs with others from now on than those `refused`; returns whether there are any. */
  async replace(refused: AwsCredentialIdentity, signal: AbortSignal): Promise<boolean> {
    const others = await this.#credential?.another(refused, signal) ?? null;
    if (others === null) return false;
    this.#current = others;
    return true;
  }

  async sign(request: HttpRequest, options?: RequestSigningArguments): Promise<HttpRequest> {
    return this.#credential === null ? request : await this.#signature.sign(request, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#credential?.[Symbol.asyncDispose]();
  }
}

/** SHA-256 and its HMAC, as the signer of the SDK takes them. */
class Sha256 {
  readonly #secret: SourceData | undefined;
  #hash;

  constructor(secret?: SourceData) {
    this.#secret = secret;
    this.#hash = newHash(secret);
  }

  update(data: Uint8Array): void {
    this.#hash.update(data);
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array(this.#hash.digest()));
  }

  reset(): void {
    this.#hash = newHash(this.#secret);
  }
}

function newHash(secret: SourceData | undefined) {
  if (secret === undefined) return createHash("sha256");
  if (typeof secret === "string") return createHmac("sha256", secret);
  return createHmac(
    "sha256",
    ArrayBuffer.isView(secret)
      ? new Uint8Array(secret.buffer, secret.byteOffset, secret.byteLength)
      : new Uint8Array(secret),
  );
}
