/**
 * The HTTP client under the AWS SDK, and under our own block reads: `fetch`. One client for both
 * means one set of TLS and proxy settings, and one place that tells what failed.
 */
import type { HttpHandlerOptions, HttpRequest } from "@smithy/types";
import { brokenConnection } from "../broken_connection.ts";
import { type ClientSettings, httpClientOf } from "../http_client.ts";
import { bodyText } from "../range_answer.ts";
import { bodyOf } from "../request_body.ts";
import { RefusedError } from "../refusal.ts";
import { assert } from "../../platform/assert.ts";

/** Sends requests of one backend, which are signed already. It never retries: a decorator does. */
export class S3Transport implements Disposable {
  readonly #client: Deno.HttpClient | null;

  constructor(settings: ClientSettings) {
    this.#client = httpClientOf(settings);
  }

  /**
   * The answer to `request`, its body unread.
   *
   * @throws {RefusedError} when it is not 2xx.
   * @throws {StoreFault} when there is none.
   */
  async send(request: HttpRequest, signal: AbortSignal): Promise<Response> {
    const url = urlOf(request);
    // `fetch` sets host and length itself, and would decompress a body that is stored compressed.
    const { host: _, "content-length": __, expect: ___, ...headers } = request.headers;
    headers["accept-encoding"] = "identity";
    const response = await fetch(url, {
      method: request.method,
      headers,
      body: bodyOf(request.body),
      // Followed, a redirect would be refused: the signature is for this host.
      redirect: "manual",
      signal,
      ...(this.#client === null ? {} : { client: this.#client }),
    }).catch((error: unknown) => {
      signal.throwIfAborted();
      throw brokenConnection(error, url);
    });
    if (response.ok) return response;
    const body = await bodyText(response, url, signal);
    const { status, headers: given } = response;
    throw new RefusedError({ status, header: (name) => given.get(name), body });
  }

  /** The same, as the SDK wants it; all its requests must carry a signal. */
  readonly requestHandler = {
    metadata: { handlerProtocol: "http/1.1" },
    handle: async (request: HttpRequest, options: HttpHandlerOptions = {}) => {
      const { abortSignal } = options;
      assert(abortSignal instanceof AbortSignal, "Every request of the SDK can be aborted");
      const response = await this.send(request, abortSignal);
      const body = await response.bytes().catch((error: unknown) => {
        abortSignal.throwIfAborted();
        throw brokenConnection(error, urlOf(request));
      });
      const headers = Object.fromEntries(response.headers);
      return { response: { statusCode: response.status, headers, body } };
    },
  };

  [Symbol.dispose](): void {
    this.#client?.close();
  }
}

/** The URL that `request` was signed for. */
export function urlOf({ protocol, hostname, port, path, query }: HttpRequest): string {
  const pairs = Object.entries(query ?? {}).flatMap(([name, value]) => {
    const values = value === null ? [""] : typeof value === "string" ? [value] : value;
    return values.map((each) => `${escapeUri(name)}=${escapeUri(each)}`);
  });
  const origin = `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}`;
  return origin + path + (pairs.length === 0 ? "" : `?${pairs.join("&")}`);
}

/**
 * `text` as signatures want it: all but RFC 3986's unreserved characters escaped, of which
 * `encodeURIComponent` leaves five.
 */
export function escapeUri(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
