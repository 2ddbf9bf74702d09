/**
 * The HTTP client under the Azure SDK, and under our own block reads: `fetch`, with the parts of
 * authorisation that do not depend on the request. One client for both means one set of TLS and
 * proxy settings, and one place that keeps a SAS out of the URLs which errors and logs show.
 */
import { Buffer } from "node:buffer";
import {
  type CompatResponse,
  type RequestPolicy,
  toHttpHeadersLike,
} from "@azure/core-http-compat";
import {
  createHttpHeaders,
  createPipelineRequest,
  type HttpMethods,
  type PipelinePolicy,
} from "@azure/core-rest-pipeline";
import { storageSharedKeyCredentialPolicy } from "@azure/storage-common";
import type { AzureAuthorization } from "./credentials.ts";
import { NO_BLOB_SERVICE } from "./errors.ts";
import { brokenConnection } from "../broken_connection.ts";
import type { JudgedCredential } from "../identity/judged_credential.ts";
import { bodyText } from "../range_answer.ts";
import { bodyOf } from "../request_body.ts";
import { StoreFault } from "../store_fault.ts";
import { assert } from "../../platform/assert.ts";

/** A request that is complete but for what authorises it. */
export interface OutgoingRequest {
  readonly url: string;
  readonly method: HttpMethods;
  readonly headers: Iterable<[string, string]>;
  readonly body: Uint8Array<ArrayBuffer> | string | null;
}

/** Sends requests of one backend. It never retries but with a new credential: a decorator does. */
export class AzureTransport {
  readonly #account: string;
  readonly #authorization: AzureAuthorization;
  #signer: { readonly key: string; readonly policy: PipelinePolicy } | null = null;

  constructor(account: string, authorization: AzureAuthorization) {
    this.#account = account;
    this.#authorization = authorization;
  }

  /** When the credential in use ends, in milliseconds since the epoch; null: never, or unknown. */
  get credentialExpiresMs(): number | null {
    return this.#authorization.kind === "anonymous"
      ? null
      : this.#authorization.credential.expiresMs;
  }

  /**
   * The answer to `request`, its body unread.
   *
   * @throws {StoreFault} when there is none, or no credential to send.
   */
  async send(request: OutgoingRequest, signal: AbortSignal): Promise<Response> {
    if (this.#authorization.kind === "anonymous") return await this.#sendAs("", request, signal);
    const { credential } = this.#authorization;
    const used = await this.#credential(credential, request.url, signal);
    const response = await this.#sendAs(used, request, signal);
    const another = isRefusedCredential(response) ? await credential.another(used, signal) : null;
    if (another === null) return response;
    await response.body?.cancel();
    return await this.#sendAs(another, request, signal);
  }

  /** The same, as the SDK wants it; all its requests must carry a signal. */
  readonly httpClient: RequestPolicy = {
    sendRequest: async (request): Promise<CompatResponse> => {
      const signal = request.abortSignal;
      assert(signal instanceof AbortSignal, "Every request of the SDK can be aborted");
      const response = await this.send({
        url: request.url,
        method: request.method,
        headers: request.headers.headersArray().map(({ name, value }) => [name, value]),
        body: bodyOf(request.body),
      }, signal);
      const bodyAsText = await bodyText(response, request.url, signal);
      const headers = toHttpHeadersLike(createHttpHeaders(Object.fromEntries(response.headers)));
      return { request, status: response.status, headers, bodyAsText };
    },
  };

  /** `url` with the SAS in it, for the one other place that needs it: the source of a copy. */
  async signedUrl(url: string, signal: AbortSignal): Promise<string> {
    if (this.#authorization.kind !== "sas") return url;
    return withSas(url, await this.#authorization.credential.get(signal));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#authorization.kind === "anonymous") return;
    await this.#authorization.credential[Symbol.asyncDispose]();
  }

  async #credential(
    credential: JudgedCredential<string>,
    url: string,
    signal: AbortSignal,
  ): Promise<string> {
    if (this.#authorization.kind === "bearer" && !url.startsWith("https:")) {
      throw new StoreFault(
        "denied",
        "a token may only be sent over https, and the endpoint is http",
        "Use an https endpoint, or a key or SAS where the store is a local emulator",
      );
    }
    return await credential.get(signal);
  }

  /** Sends `request` once, with the credential `used`. */
  async #sendAs(used: string, request: OutgoingRequest, signal: AbortSignal): Promise<Response> {
    const { kind } = this.#authorization;
    // Not `Headers`, which `fetch` takes apart again: that takes longer than all else here.
    const headers: Record<string, string> = {};
    const given = kind === "shared_key" ? await this.#signed(used, request) : request.headers;
    for (const [name, value] of given) headers[name.toLowerCase()] = value;
    // `fetch` sets the length itself, and would decompress a body that is stored compressed.
    delete headers["content-length"];
    headers["accept-encoding"] = "identity";
    if (kind === "bearer") headers["authorization"] = `Bearer ${used}`;
    const response = await fetch(kind === "sas" ? withSas(request.url, used) : request.url, {
      method: request.method,
      headers,
      body: request.body,
      redirect: "manual",
      signal,
    }).catch((error: unknown) => {
      signal.throwIfAborted();
      throw brokenConnection(error, request.url);
    });
    // Followed, a redirect would take the credentials to whoever it names.
    const redirected = response.status >= 300 && response.status < 400;
    if (redirected || (response.ok && !response.headers.has("x-ms-version"))) {
      await response.body?.cancel();
      throw new StoreFault(...NO_BLOB_SERVICE);
    }
    return response;
  }

  /** The headers of `request`, signed with `key` as the SDK does it. */
  async #signed(key: string, request: OutgoingRequest): Promise<Iterable<[string, string]>> {
    if (this.#signer?.key !== key) {
      const accountKey = Buffer.from(key, "base64");
      const policy = storageSharedKeyCredentialPolicy({ accountName: this.#account, accountKey });
      this.#signer = { key, policy };
    }
    const { url, method, headers, body } = request;
    const unsigned = createPipelineRequest({
      url,
      method,
      headers: createHttpHeaders(Object.fromEntries(headers)),
      ...(body === null ? {} : { body }),
      allowInsecureConnection: true,
    });
    const { request: signed } = await this.#signer.policy.sendRequest(
      unsigned,
      (sent) => Promise.resolve({ request: sent, status: 0, headers: createHttpHeaders() }),
    );
    return signed.headers;
  }
}

/** Whether the store minds the credential: then a newer one may do. */
function isRefusedCredential({ status, headers }: Response): boolean {
  return status === 401 || status === 403 ||
    (status === 400 && headers.get("x-ms-error-code") === "InvalidAuthenticationInfo");
}

function withSas(url: string, query: string): string {
  return `${url}${url.includes("?") ? "&" : "?"}${query}`;
}
