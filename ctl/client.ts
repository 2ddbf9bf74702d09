/**
 * Calls to a running mount over one of its control sockets.
 *
 * On `fetch` through a Unix socket, which both supported runtimes have, and which ends a request
 * when its signal aborts.
 */
import type { z } from "zod";
import { API_VERSION, type Endpoint } from "./api.ts";
import { type ClientErrorCode, ControlError, ENVELOPE, otherVersion } from "./control_error.ts";
import { TextLineStream } from "../cache/platform/text_lines.ts";

/** The host of a request over a Unix socket means nothing. */
const ORIGIN = "http://warpdrive";

/** Calls of endpoints whose answer is one object, or a stream of them. */
type Single = Endpoint & { readonly form: "single" };
type Stream = Endpoint & { readonly form: "stream" };

/** A way to one socket; disposing it closes what is idle. */
export class ControlClient implements Disposable {
  readonly socket: string;
  readonly #http: Deno.HttpClient;

  /** A client of the socket at path `socket`; connects when it is asked something. */
  constructor(socket: string) {
    this.socket = socket;
    this.#http = Deno.createHttpClient({ proxy: { transport: "unix", path: socket } });
  }

  /**
   * Does a call.
   *
   * @throws {ControlError} when the mount refuses it, or cannot be asked.
   */
  async call<Request extends z.ZodType, Answer extends z.ZodType>(
    endpoint: Single & { readonly request: Request; readonly answer: Answer },
    request: z.input<Request>,
    signal: AbortSignal,
  ): Promise<z.output<Answer>> {
    const response = await this.#send(endpoint, request, signal);
    const text = await this.#reading(response.text(), signal);
    return this.#parse(endpoint.answer, text);
  }

  /**
   * Does a call whose answer is a stream; gives its records as they come, and ends with it.
   * Leaving the loop, or aborting `signal`, ends the call at the mount, too.
   *
   * @throws {ControlError} when the mount refuses it, cannot be asked, or ends in the middle.
   */
  async *stream<Request extends z.ZodType, Answer extends z.ZodType>(
    endpoint: Stream & { readonly request: Request; readonly answer: Answer },
    request: z.input<Request>,
    signal: AbortSignal,
  ): AsyncGenerator<z.output<Answer>, void, undefined> {
    const left = new AbortController();
    const either = AbortSignal.any([signal, left.signal]);
    try {
      const response = await this.#send(endpoint, request, either);
      if (response.body === null || !response.ok) {
        this.#parse(endpoint.answer, await this.#reading(response.text(), signal));
        throw this.#noAnswer(`its status is ${response.status}`, null);
      }
      const lines = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(
        new TextLineStream(),
      );
      const reader = lines.getReader();
      for (;;) {
        const { done, value } = await this.#reading(reader.read(), signal);
        if (done) return;
        yield this.#parse(endpoint.answer, value);
      }
    } finally {
      left.abort();
    }
  }

  [Symbol.dispose](): void {
    this.#http.close();
  }

  async #send(endpoint: Endpoint, request: unknown, signal: AbortSignal): Promise<Response> {
    const { path, rest } = fillPath(endpoint.path, request);
    const isPost = endpoint.method === "POST";
    const url = new URL(path, ORIGIN);
    if (!isPost) { for (const [key, value] of queryOf(rest)) url.searchParams.append(key, value); }
    try {
      return await fetch(url, {
        method: endpoint.method,
        client: this.#http,
        signal,
        ...(isPost ? { body: JSON.stringify(rest) } : {}),
        headers: { "content-type": "application/json" },
      });
    } catch (error) {
      signal.throwIfAborted();
      throw await this.#whyNot(error);
    }
  }

  async #reading<T>(reading: Promise<T>, signal: AbortSignal): Promise<T> {
    try {
      return await reading;
    } catch (error) {
      signal.throwIfAborted();
      throw this.#noAnswer("it broke off, as when a mount ends", error);
    }
  }

  /** What `text` says, or the error it says. */
  #parse<Answer extends z.ZodType>(schema: Answer, text: string): z.output<Answer> {
    const envelope = ENVELOPE.safeParse(parseJson(text));
    if (!envelope.success) throw this.#noAnswer("it is not of this API", envelope.error);
    const { version, error } = envelope.data;
    if (version !== API_VERSION) throw otherVersion(this.socket, version);
    if (error !== undefined) throw new ControlError(error.code, error.message, error.hint);
    const answer = schema.safeParse(envelope.data);
    if (!answer.success) throw this.#noAnswer("it is not what was asked for", answer.error);
    return answer.data;
  }

  #noAnswer(reason: string, cause: unknown): ControlError {
    const code: ClientErrorCode = "no_answer";
    return new ControlError(
      code,
      `Read the answer of the mount at "${this.socket}": ${reason}`,
      "See whether the mount still runs, and its log",
      { cause },
    );
  }

  /** The runtime does not tell why a connection failed, so try one. */
  async #whyNot(cause: unknown): Promise<ControlError> {
    const at = JSON.stringify(this.socket);
    const because = (code: ClientErrorCode, message: string, hint: string) =>
      new ControlError(code, message, hint, { cause });
    try {
      (await Deno.connect({ transport: "unix", path: this.socket })).close();
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.ConnectionRefused) {
        return because(
          "no_mount",
          `Connect to the mount at ${at}: no mount listens there`,
          'Start it with "warpdrive mount", or name another with --socket or --config',
        );
      }
      if (error instanceof Deno.errors.PermissionDenied) {
        return because(
          "no_permission",
          `Connect to the mount at ${at}: this user may not`,
          "Run this as the mounting user or root, or join the group that control.group names",
        );
      }
    }
    return this.#noAnswer("it ended before one", cause);
  }
}

/** `pattern` with its variables filled in from `request`, and what of the request is left. */
function fillPath(
  pattern: string,
  request: unknown,
): { readonly path: string; readonly rest: Readonly<Record<string, unknown>> } {
  const rest: Record<string, unknown> = typeof request === "object" && request !== null
    ? { ...request }
    : {};
  const path = pattern.replace(/:(\w+)/g, (_, name: string) => {
    const value = String(rest[name]);
    delete rest[name];
    return encodeURIComponent(value);
  });
  return { path, rest };
}

function queryOf(rest: Readonly<Record<string, unknown>>): readonly (readonly [string, string])[] {
  return Object.entries(rest).flatMap(([key, value]) =>
    value === undefined ? [] : [value].flat().map((item) => [key, String(item)] as const)
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Nothing that this API sends; the caller says so.
    return null;
  }
}
