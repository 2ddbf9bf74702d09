/**
 * The HTTP client under the Azure SDK, and under our own block reads: `fetch`, with the parts of
 * authorisation that do not depend on the request. One client for both means one set of TLS and
 * proxy settings, and one place that keeps a SAS out of the URLs which errors and logs show.
 */
import {
  type CompatResponse,
  type RequestPolicy,
  toHttpHeadersLike,
} from "@azure/core-http-compat";
import { createHttpHeaders } from "@azure/core-rest-pipeline";
import type { AzureAuthorization } from "./credentials.ts";
import { NO_BLOB_SERVICE } from "./errors.ts";
import { brokenConnection } from "../broken_connection.ts";
import { entraFailure } from "../identity/entra_failure.ts";
import { bodyText } from "../range_answer.ts";
import { StoreFault } from "../store_fault.ts";
import { assert } from "../../platform/assert.ts";

/** A request that is complete but for SAS and bearer token. */
export interface OutgoingRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Iterable<[string, string]>;
  readonly body: Uint8Array<ArrayBuffer> | string | null;
}

/** Sends requests of one backend. It never retries: a decorator does. */
export class AzureTransport {
  readonly #authorization: AzureAuthorization;

  constructor(authorization: AzureAuthorization) {
    this.#authorization = authorization;
  }

  /**
   * The answer to `request`, its body unread.
   *
   * @throws {StoreFault} when there is none, or no token to send.
   */
  async send(request: OutgoingRequest, signal: AbortSignal): Promise<Response> {
    // Not `Headers`, which `fetch` takes apart again: that takes longer than all else here.
    const headers: Record<string, string> = {};
    for (const [name, value] of request.headers) headers[name.toLowerCase()] = value;
    // `fetch` sets the length itself, and would decompress a body that is stored compressed.
    delete headers["content-length"];
    headers["accept-encoding"] = "identity";
    const token = await this.#bearerToken(request.url, signal);
    if (token !== null) headers["authorization"] = `Bearer ${token}`;
    const response = await fetch(this.#withSas(request.url), {
      method: request.method,
      headers,
      body: request.body,
      redirect: "manual",
      signal,
    }).catch((error: unknown) => {
      signal.throwIfAborted();
      throw brokenConnection(error, request.url);
    });
    if (response.status === 401 && token !== null && this.#authorization.kind === "bearer") {
      this.#authorization.token.discard(token);
    }
    // Followed, a redirect would take the credentials to whoever it names.
    const redirected = response.status >= 300 && response.status < 400;
    if (redirected || (response.ok && !response.headers.has("x-ms-version"))) {
      await response.body?.cancel();
      throw new StoreFault(...NO_BLOB_SERVICE);
    }
    return response;
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
  signedUrl(url: string): string {
    return this.#withSas(url);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#authorization.kind === "bearer") {
      await this.#authorization.token[Symbol.asyncDispose]();
    }
  }

  #withSas(url: string): string {
    if (this.#authorization.kind !== "sas") return url;
    const query = this.#authorization.query.reveal().replace(/^\?/, "");
    return `${url}${url.includes("?") ? "&" : "?"}${query}`;
  }

  async #bearerToken(url: string, signal: AbortSignal): Promise<string | null> {
    if (this.#authorization.kind !== "bearer") return null;
    if (!url.startsWith("https:")) {
      throw new StoreFault(
        "denied",
        "a token may only be sent over https, and the endpoint is http",
        "Use an https endpoint, or a key or SAS where the store is a local emulator",
      );
    }
    const { token, hint } = this.#authorization;
    try {
      return await token.get(signal);
    } catch (error) {
      signal.throwIfAborted();
      throw entraFailure(error, token.obtained, hint);
    }
  }
}

function bodyOf(body: unknown): Uint8Array<ArrayBuffer> | string | null {
  if (body === undefined || body === null) return null;
  if (typeof body === "string") return body;
  assert(
    body instanceof Uint8Array && body.buffer instanceof ArrayBuffer,
    "The SDK is only given bytes to send",
  );
  return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
}
