/** Calls to a running mount over one of its control sockets. */
import type { z } from "zod";
import { TextLineStream } from "../cache/platform/text_lines.ts";
import { API_VERSION, type Endpoint } from "./api.ts";
import { type ClientErrorCode, ControlError, ENVELOPE, otherVersion } from "./control_error.ts";
import { BrokenAnswer, HttpConnection, type HttpQuestion } from "./http_connection.ts";

/** Calls of endpoints whose answer is one object, or a stream of them. */
type Single = Endpoint & { readonly form: "single" };
type Stream = Endpoint & { readonly form: "stream" };

/** A way to one socket. Each call has a connection of its own. */
export class ControlClient {
  readonly socket: string;

  /** A client of the socket at path `socket`; connects when it is asked something. */
  constructor(socket: string) {
    this.socket = socket;
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
    const texts = await Array.fromAsync(this.#lines(questionOf(endpoint, request), signal));
    return this.#parse(endpoint.answer, texts.join("\n"));
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
    for await (const line of this.#lines(questionOf(endpoint, request), signal)) {
      yield this.#parse(endpoint.answer, line);
    }
  }

  /** The lines of the answer's body, whatever its status: an error is one, too. */
  async *#lines(
    question: HttpQuestion,
    signal: AbortSignal,
  ): AsyncGenerator<string, void, undefined> {
    using connection = await this.#connect(signal);
    try {
      const body = ReadableStream.from(await connection.ask(question));
      yield* body.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof BrokenAnswer) {
        throw this.#noAnswer("it broke off, as when a mount ends", error);
      }
      throw error;
    }
  }

  async #connect(signal: AbortSignal): Promise<HttpConnection> {
    try {
      return await HttpConnection.open(this.socket, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw this.#whyNot(error);
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
    const message = `Read the answer of the mount at "${this.socket}": ${reason}`;
    const hint = "See whether the mount still runs, and its log";
    const code: ClientErrorCode = "no_answer";
    return new ControlError(code, message, hint, { cause });
  }

  #whyNot(cause: unknown): ControlError {
    const because = (code: ClientErrorCode, reason: string, hint: string) =>
      new ControlError(code, `Connect to the mount at "${this.socket}": ${reason}`, hint, {
        cause,
      });
    if (cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.ConnectionRefused) {
      return because(
        "no_mount",
        "no mount listens there",
        'Start it with "warpdrive mount", or name another with --socket or --config',
      );
    }
    if (cause instanceof Deno.errors.PermissionDenied) {
      return because(
        "no_permission",
        "this user may not",
        "Run this as the mounting user or root, or join the group that control.group names",
      );
    }
    return because("no_answer", "it takes no connection", "Ask again in a moment");
  }
}

/** A request as HTTP has it: variables fill the path, the rest is the query or the body. */
function questionOf({ method, path }: Endpoint, request: unknown): HttpQuestion {
  const rest: Record<string, unknown> = typeof request === "object" && request !== null
    ? { ...request }
    : {};
  const filled = path.replace(/:(\w+)/g, (_, name: string) => {
    const value = String(rest[name]);
    delete rest[name];
    return encodeURIComponent(value);
  });
  if (method === "POST") return { method, target: filled, body: JSON.stringify(rest) };
  const query = queryOf(rest).toString();
  return { method, target: query === "" ? filled : `${filled}?${query}`, body: null };
}

function queryOf(rest: Readonly<Record<string, unknown>>): URLSearchParams {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(rest)) {
    if (value === undefined) continue;
    for (const item of [value].flat()) query.append(key, String(item));
  }
  return query;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Nothing that this API sends; the caller says so.
    return null;
  }
}
