/**
 * A small HTTP/1.1 server for GET and HEAD, one exchange per connection, with every wait bounded.
 *
 * `Deno.serve` has neither a limit of connections nor a deadline for request heads (a stalled one
 * was still open after 75 s), and `node:http` ignores both settings under Deno 2.6. Here a client
 * that connects and does nothing costs one of the connections for a few seconds.
 */
import type { Clock } from "../cache/platform/clock.ts";
import { CommandError } from "../cache/platform/exit.ts";
import { TaskGroup } from "../cache/platform/limit.ts";
import { type Logger } from "../cache/platform/log.ts";

/** Connections at once; a scraper and a few probes need one each. */
export const CONNECTIONS_MAX = 64;
/** Longest time of one connection, from accepting it to its last byte. */
export const EXCHANGE_MS_MAX = 15_000;
/** Longest request head; one of curl or Prometheus has a few hundred bytes. */
const HEAD_BYTES_MAX = 8 * 1024;
/** What is read and dropped after an answer, so that closing does not reset the connection. */
const DRAINED_BYTES_MAX = 64 * 1024;

/** What a path answers. */
export interface Answer {
  readonly status: 200 | 400 | 404 | 405 | 500 | 503;
  readonly contentType: string;
  readonly body: string;
}

/** Answers the request for `path`; `signal` aborts when nobody waits any more. */
export type Respond = (path: string, signal: AbortSignal) => Promise<Answer>;

/** Where to listen; port 0 means any free one. */
export interface ListenAddress {
  readonly hostname: string;
  readonly port: number;
}

const REASONS: Readonly<Record<Answer["status"], string>> = {
  200: "OK",
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** A plain-text answer. */
export function textAnswer(status: Answer["status"], body: string): Answer {
  return { status, contentType: "text/plain; charset=utf-8", body: `${body}\n` };
}

/** Listens until it is disposed. */
export class GetServer implements AsyncDisposable {
  /** The address it listens on, with the port that was chosen. */
  readonly address: ListenAddress;
  readonly #listener: Deno.TcpListener;
  readonly #respond: Respond;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #closing = new AbortController();
  readonly #tasks: TaskGroup;

  /**
   * Begins to listen.
   *
   * @throws {CommandError} when the address cannot be used.
   */
  static listen(address: ListenAddress, respond: Respond, clock: Clock, logger: Logger): GetServer {
    return new GetServer(openListener(address), respond, clock, logger);
  }

  private constructor(
    listener: Deno.TcpListener,
    respond: Respond,
    clock: Clock,
    logger: Logger,
  ) {
    this.address = { hostname: listener.addr.hostname, port: listener.addr.port };
    this.#listener = listener;
    this.#respond = respond;
    this.#clock = clock;
    this.#logger = logger;
    this.#tasks = new TaskGroup((error) => this.#logger.debug("HTTP exchange failed", { error }));
    this.#tasks.add(this.#accept());
  }

  /** Stops listening, ends the exchanges in progress and waits for them. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#listener.close();
    await this.#tasks.settled();
  }

  async #accept(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      try {
        const connection = await this.#listener.accept();
        // The accepting loop is a task too.
        if (this.#tasks.size <= CONNECTIONS_MAX) this.#tasks.add(this.#exchange(connection));
        else connection.close();
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        // Out of descriptors, or the client left before it was accepted: neither ends the server.
        this.#logger.warn("Cannot accept an HTTP connection", { error });
        await this.#clock.sleep(100, this.#closing.signal).catch(() => {});
      }
    }
  }

  async #exchange(connection: Deno.TcpConn): Promise<void> {
    const finished = new AbortController();
    const ended = AbortSignal.any([finished.signal, this.#closing.signal]);
    // Closing the connection is what ends a read or write that waits for the client.
    const deadline = this.#clock.sleep(EXCHANGE_MS_MAX, ended)
      .catch(() => {})
      .finally(() => {
        finished.abort();
        connection.close();
      });
    try {
      const { answer, withBody } = await this.#answer(connection, ended);
      await writeAll(connection, encodeAnswer(answer, withBody));
      await connection.closeWrite();
      await drain(connection);
    } finally {
      finished.abort();
      await deadline;
    }
  }

  async #answer(
    connection: Deno.TcpConn,
    signal: AbortSignal,
  ): Promise<{ readonly answer: Answer; readonly withBody: boolean }> {
    const line = requestLine(await readHead(connection));
    if (line === null) {
      return { answer: textAnswer(400, "Not an HTTP/1 request"), withBody: true };
    }
    const withBody = line.method !== "HEAD";
    if (withBody && line.method !== "GET") {
      return { answer: textAnswer(405, "Only GET and HEAD are answered"), withBody };
    }
    try {
      return { answer: await this.#respond(line.path, signal), withBody };
    } catch (error) {
      if (!signal.aborted) this.#logger.error("HTTP request failed", { path: line.path, error });
      return { answer: textAnswer(500, "Internal error, see the log"), withBody };
    }
  }
}

function openListener({ hostname, port }: ListenAddress): Deno.TcpListener {
  try {
    return Deno.listen({ hostname, port });
  } catch (error) {
    const at = `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
    if (error instanceof Deno.errors.AddrInUse) {
      throw new CommandError(
        "failed",
        `Listen on "${at}": the address is in use, wanted a free one`,
        `Change metrics.addr, or find who has it with: ss -ltnp 'sport = :${port}'`,
        { cause: error },
      );
    }
    throw new CommandError(
      "failed",
      `Listen on "${at}": the address cannot be used, wanted one of this machine`,
      "Set metrics.addr to HOST:PORT of this machine, such as 127.0.0.1:9090",
      { cause: error },
    );
  }
}

/** The request up to its empty line; whatever there is when the client stops or says too much. */
async function readHead(connection: Deno.TcpConn): Promise<string> {
  const buffer = new Uint8Array(HEAD_BYTES_MAX);
  const decoder = new TextDecoder("latin1");
  let length = 0;
  while (length < buffer.length) {
    const count = await connection.read(buffer.subarray(length));
    if (count === null) break;
    length += count;
    const text = decoder.decode(buffer.subarray(0, length));
    if (/\r?\n\r?\n/.test(text)) return text;
  }
  return "";
}

/** Method and path, without the query, of a request's first line (RFC 9112, section 3). */
function requestLine(head: string): { readonly method: string; readonly path: string } | null {
  const match = /^([A-Z]+) ([^ ?]+)(?:\?[^ ]*)? HTTP\/1\.[01]\r?\n/.exec(head);
  if (match === null) return null;
  return { method: match[1] ?? "", path: match[2] ?? "" };
}

function encodeAnswer(answer: Answer, withBody: boolean): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const bodyBytes = encoder.encode(answer.body).length;
  const head = [
    `HTTP/1.1 ${answer.status} ${REASONS[answer.status]}`,
    `Content-Type: ${answer.contentType}`,
    `Content-Length: ${bodyBytes}`,
    "Cache-Control: no-store",
    ...(answer.status === 405 ? ["Allow: GET, HEAD"] : []),
    "Connection: close",
    "",
    "",
  ].join("\r\n");
  return encoder.encode(withBody ? head + answer.body : head);
}

async function writeAll(connection: Deno.TcpConn, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  let written = 0;
  while (written < bytes.length) written += await connection.write(bytes.subarray(written));
}

async function drain(connection: Deno.TcpConn): Promise<void> {
  const sink = new Uint8Array(4 * 1024);
  for (let bytes = 0; bytes < DRAINED_BYTES_MAX;) {
    const count = await connection.read(sink);
    if (count === null) return;
    bytes += count;
  }
}
