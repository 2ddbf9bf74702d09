/**
 * The HTTP client of a Cloud Storage backend: `fetch`, with the token of the backend. Its JSON API
 * needs no signatures, so there is nothing between a request and the wire; requests can be aborted,
 * which the client library of the service has no way to.
 */
import type { z } from "zod";
import { brokenConnection } from "../broken_connection.ts";
import { httpClientOf } from "../http_client.ts";
import type { JudgedCredential } from "../identity/judged_credential.ts";
import { bodyText } from "../range_answer.ts";
import { RefusedError } from "../refusal.ts";
import { StoreFault } from "../store_fault.ts";
import { isRefusedCredential, NO_GCS_SERVICE } from "./errors.ts";
import type { GcsSource } from "./source.ts";

/** A request that is complete but for its token. */
export interface OutgoingRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** With a leading slash, and the query behind it. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer> | string | null;
}

/** A request without headers and body of its own. */
export function plainRequest(method: OutgoingRequest["method"], path: string): OutgoingRequest {
  return { method, path, headers: {}, body: null };
}

/** Sends requests of one backend, twice where its token is refused; decorators do the rest. */
export class GcsTransport implements AsyncDisposable {
  readonly #endpoint: string;
  readonly #userProject: string | null;
  readonly #client: Deno.HttpClient | null;
  /** Null: requests are anonymous. */
  readonly #token: JudgedCredential<string> | null;

  constructor(source: GcsSource, token: JudgedCredential<string> | null) {
    this.#endpoint = source.endpoint;
    this.#userProject = source.userProject;
    this.#client = httpClientOf(source);
    this.#token = token;
  }

  /** When the token in use ends, in milliseconds since the epoch; null: never, or there is none. */
  get credentialExpiresMs(): number | null {
    return this.#token?.expiresMs ?? null;
  }

  /** The URL that `request` is sent to. */
  urlOf({ path }: OutgoingRequest): string {
    const url = this.#endpoint + path;
    if (this.#userProject === null) return url;
    const separator = path.includes("?") ? "&" : "?";
    return `${url}${separator}userProject=${encodeURIComponent(this.#userProject)}`;
  }

  /**
   * The answer to `request`, its body unread; one that `accepts` no status but those of success.
   *
   * @throws {RefusedError} when its status is another one.
   * @throws {StoreFault} when there is no answer, or no token to ask with.
   */
  async send(
    request: OutgoingRequest,
    signal: AbortSignal,
    accepts: (status: number) => boolean = (status) => status >= 200 && status < 300,
  ): Promise<Response> {
    if (this.#token === null) return await this.#sendAs(null, request, accepts, signal);
    const used = await this.#token.get(signal);
    try {
      return await this.#sendAs(used, request, accepts, signal);
    } catch (error) {
      const refused = error instanceof RefusedError && isRefusedCredential(error.refusal);
      const another = refused ? await this.#token.another(used, signal) : null;
      if (another === null) throw error;
      return await this.#sendAs(another, request, accepts, signal);
    }
  }

  /** What the answer to `request` says, in JSON of the form `schema`. */
  async ask<T extends z.ZodType>(
    request: OutgoingRequest,
    schema: T,
    signal: AbortSignal,
  ): Promise<z.output<T>> {
    const response = await this.send(request, signal);
    const text = await bodyText(response, this.urlOf(request), signal);
    return parseAnswer(text, schema);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client?.close();
    await this.#token?.[Symbol.asyncDispose]();
  }

  /** Sends it once, with the token `bearer`. */
  async #sendAs(
    bearer: string | null,
    request: OutgoingRequest,
    accepts: (status: number) => boolean,
    signal: AbortSignal,
  ): Promise<Response> {
    const url = this.urlOf(request);
    // Not `Headers`, which `fetch` takes apart again: that takes longer than all else here.
    const headers: Record<string, string> = { "accept-encoding": "identity", ...request.headers };
    if (bearer !== null) headers["authorization"] = `Bearer ${bearer}`;
    const response = await fetch(url, {
      method: request.method,
      headers,
      body: request.body,
      // Followed, a redirect would take the token to whoever it names.
      redirect: "manual",
      signal,
      ...(this.#client === null ? {} : { client: this.#client }),
    }).catch((error: unknown) => {
      signal.throwIfAborted();
      throw brokenConnection(error, url);
    });
    if (accepts(response.status)) return response;
    const body = await bodyText(response, url, signal);
    const { status, headers: given } = response;
    throw new RefusedError({ status, header: (name) => given.get(name), body });
  }
}

/** `text` as JSON of the form `schema`. */
function parseAnswer<T extends z.ZodType>(text: string, schema: T): z.output<T> {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new StoreFault(...NO_GCS_SERVICE, { cause: error });
  }
}
