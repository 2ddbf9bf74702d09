/**
 * One HTTP/1.1 exchange over a Unix socket, on a connection of its own.
 *
 * Deno's `fetch` can be told to use a Unix socket, too, but hangs for good after some 25 requests
 * of one process (2.9.6, whatever the server and the client's settings), and does not tell why it
 * could not connect.
 */

const HEAD_BYTES_MAX = 16 * 1024;
const CHUNK_LINE_BYTES_MAX = 256;

/** The answer is cut short, or is no HTTP. */
export class BrokenAnswer extends Error {
  override readonly name = "BrokenAnswer";
}

/** What is asked. */
export interface HttpQuestion {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** JSON text; null without a body. */
  readonly body: string | null;
}

type BodyForm =
  | { readonly kind: "sized"; readonly bytes: number }
  | { readonly kind: "chunked" };

/** An answer being received; disposing it hangs up, at which the mount ends the call. */
export class HttpConnection implements Disposable {
  readonly #connection: Deno.UnixConn;
  readonly #signal: AbortSignal;
  readonly #onAbort: () => void;
  #rest = new Uint8Array(0);
  #isOpen = true;

  /**
   * Connects to `socket`; rejects as `Deno.connect` does, or with the reason of `signal`, which
   * ends the whole exchange.
   */
  static async open(socket: string, signal: AbortSignal): Promise<HttpConnection> {
    signal.throwIfAborted();
    const connection = await Deno.connect({ transport: "unix", path: socket });
    return new HttpConnection(connection, signal);
  }

  private constructor(connection: Deno.UnixConn, signal: AbortSignal) {
    this.#connection = connection;
    this.#signal = signal;
    this.#onAbort = () => this.#close();
    signal.addEventListener("abort", this.#onAbort, { once: true });
    if (signal.aborted) this.#close();
  }

  /** Asks, and waits for the head of the answer; its body, in pieces, as they come. */
  async ask(question: HttpQuestion): Promise<AsyncGenerator<Uint8Array, void, undefined>> {
    await this.#send(question);
    for (;;) {
      const head = await this.#until("\r\n\r\n", HEAD_BYTES_MAX);
      const status = /^HTTP\/1\.[01] (\d{3})(?: |\r|$)/.exec(head)?.[1];
      if (status === undefined) throw new BrokenAnswer("The answer is no HTTP/1");
      // 1xx announces another head.
      if (!status.startsWith("1")) return this.#body(bodyForm(head));
    }
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#close();
  }

  async #send({ method, target, body }: HttpQuestion): Promise<void> {
    const encoder = new TextEncoder();
    const content = encoder.encode(body ?? "");
    const headers = body === null
      ? ""
      : `Content-Type: application/json\r\nContent-Length: ${content.length}\r\n`;
    const head = encoder.encode(
      `${method} ${target} HTTP/1.1\r\nHost: warpdrive\r\nConnection: close\r\n${headers}\r\n`,
    );
    try {
      await this.#write(head);
      await this.#write(content);
    } catch (error) {
      this.#signal.throwIfAborted();
      // Refused before it was read to its end: the answer says why.
      const refused = error instanceof Deno.errors.BrokenPipe ||
        error instanceof Deno.errors.ConnectionReset;
      if (!refused) throw error;
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let written = 0; written < bytes.length;) {
      written += await this.#connection.write(bytes.subarray(written));
    }
  }

  async *#body(form: BodyForm): AsyncGenerator<Uint8Array, void, undefined> {
    if (form.kind === "sized") return yield* this.#exactly(form.bytes);
    for (;;) {
      const line = await this.#until("\r\n", CHUNK_LINE_BYTES_MAX);
      const size = /^([0-9A-Fa-f]{1,8})(?:;.*)?$/.exec(line)?.[1];
      if (size === undefined) throw new BrokenAnswer("A chunk of the answer has no size");
      // Trailers, which nobody sends, are left unread.
      if (/^0+$/.test(size)) return;
      yield* this.#exactly(Number.parseInt(size, 16));
      await this.#until("\r\n", 2);
    }
  }

  async *#exactly(bytes: number): AsyncGenerator<Uint8Array, void, undefined> {
    for (let missing = bytes; missing > 0;) {
      if (this.#rest.length === 0) await this.#more();
      const piece = this.#rest.subarray(0, missing);
      this.#rest = this.#rest.subarray(piece.length);
      missing -= piece.length;
      yield piece;
    }
  }

  /** The text up to `end`, which is consumed, too. */
  async #until(end: string, bytesMax: number): Promise<string> {
    const decoder = new TextDecoder("latin1");
    for (;;) {
      const at = decoder.decode(this.#rest.subarray(0, bytesMax)).indexOf(end);
      if (at >= 0) {
        const text = decoder.decode(this.#rest.subarray(0, at));
        this.#rest = this.#rest.subarray(at + end.length);
        return text;
      }
      if (this.#rest.length >= bytesMax) throw new BrokenAnswer("The answer is no HTTP/1");
      await this.#more();
    }
  }

  /** Receives behind what is left. */
  async #more(): Promise<void> {
    const buffer = new Uint8Array(this.#rest.length + 16 * 1024);
    buffer.set(this.#rest);
    const count = await this.#receive(buffer.subarray(this.#rest.length));
    if (count === null) throw new BrokenAnswer("The answer ends too early");
    this.#rest = buffer.subarray(0, this.#rest.length + count);
  }

  async #receive(into: Uint8Array): Promise<number | null> {
    try {
      return await this.#connection.read(into);
    } catch (error) {
      this.#signal.throwIfAborted();
      throw new BrokenAnswer("The connection broke", { cause: error });
    }
  }

  #close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#connection.close();
  }
}

function bodyForm(head: string): BodyForm {
  if (/\r\ntransfer-encoding:[ \t]*chunked/i.test(head)) return { kind: "chunked" };
  const bytes = /\r\ncontent-length:[ \t]*(\d{1,12})/i.exec(head)?.[1];
  if (bytes === undefined) throw new BrokenAnswer("The answer does not say how long it is");
  return { kind: "sized", bytes: Number(bytes) };
}
