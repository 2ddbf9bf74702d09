/** Reads one HTTP/1.1 request off a connection, within bounds. */
import type { Memory } from "../../cache/platform/libc.ts";
import type { Connection } from "./connection.ts";
import { type BodyForm, HEAD_BYTES_MAX, parseHead, type RequestHead } from "./http_head.ts";
import { joinBytes } from "./join_bytes.ts";
import { type Refused, refused } from "./route.ts";

/** Of a line that gives the size of a chunk. */
const CHUNK_LINE_BYTES_MAX = 256;

/** Where a request comes from. */
export type Source = Pick<Connection, "read">;

/** The bytes of a body. */
export interface RequestBody {
  readonly kind: "body";
  readonly bytes: Memory;
}

/** One request being read: its head, then its body. */
export class HttpReader {
  readonly #source: Source;
  /** Received and not yet used: `#buffer` from `#start` to `#end`. */
  #buffer = new Uint8Array(4 * 1024);
  #start = 0;
  #end = 0;

  constructor(source: Source) {
    this.#source = source;
  }

  /** The head; null when the client closed without asking for anything. */
  async head(signal: AbortSignal): Promise<RequestHead | Refused | null> {
    const line = await this.#until("\r\n\r\n", HEAD_BYTES_MAX, signal);
    if (line !== null) return parseHead(line);
    if (this.#end === 0) return null;
    if (this.#end - this.#start < HEAD_BYTES_MAX) return cutShort();
    return refused(
      "head_too_large",
      `Read an HTTP request: its head is larger than ${HEAD_BYTES_MAX} bytes`,
    );
  }

  /** The body, of at most `bytesMax`. */
  async body(
    form: BodyForm,
    bytesMax: number,
    signal: AbortSignal,
  ): Promise<RequestBody | Refused> {
    switch (form.kind) {
      case "none":
        return { kind: "body", bytes: new Uint8Array(0) };
      case "sized": {
        if (form.bytes > bytesMax) return tooLarge(bytesMax);
        const bytes = await this.#exactly(form.bytes, signal);
        return bytes === null ? cutShort() : { kind: "body", bytes };
      }
      case "chunked":
        return await this.#chunks(bytesMax, signal);
    }
  }

  async #chunks(bytesMax: number, signal: AbortSignal): Promise<RequestBody | Refused> {
    const chunks: Memory[] = [];
    let total = 0;
    for (;;) {
      const line = await this.#until("\r\n", CHUNK_LINE_BYTES_MAX, signal);
      const size = /^([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?$/.exec(line ?? "")?.[1];
      if (size === undefined) return cutShort();
      const bytes = Number.parseInt(size, 16);
      if (bytes === 0) break;
      total += bytes;
      if (total > bytesMax) return tooLarge(bytesMax);
      const chunk = await this.#exactly(bytes, signal);
      if (chunk === null || await this.#until("\r\n", 2, signal) !== "") return cutShort();
      chunks.push(chunk);
    }
    // What follows the last chunk are trailers, which nobody needs, up to an empty line.
    for (let line: string | null = null; line !== "";) {
      line = await this.#until("\r\n", CHUNK_LINE_BYTES_MAX, signal);
      if (line === null) return cutShort();
    }
    return { kind: "body", bytes: joinBytes(chunks) };
  }

  /** The text up to `end`, which is consumed too; null when it does not come within `bytesMax`. */
  async #until(end: string, bytesMax: number, signal: AbortSignal): Promise<string | null> {
    const decoder = new TextDecoder("latin1");
    for (;;) {
      const seen = Math.min(this.#end - this.#start, bytesMax);
      const text = decoder.decode(this.#buffer.subarray(this.#start, this.#start + seen));
      const at = text.indexOf(end);
      if (at >= 0) {
        this.#start += at + end.length;
        return text.slice(0, at);
      }
      if (seen >= bytesMax || !await this.#more(signal)) return null;
    }
  }

  /** The next `count` bytes; null when the client ends before. */
  async #exactly(count: number, signal: AbortSignal): Promise<Memory | null> {
    const bytes = new Uint8Array(count);
    const buffered = Math.min(count, this.#end - this.#start);
    bytes.set(this.#buffer.subarray(this.#start, this.#start + buffered));
    this.#start += buffered;
    for (let filled = buffered; filled < count;) {
      const received = await this.#source.read(bytes.subarray(filled), signal);
      if (received === 0) return null;
      filled += received;
    }
    return bytes;
  }

  /** Receives into the buffer; false at the end. */
  async #more(signal: AbortSignal): Promise<boolean> {
    if (this.#end === this.#buffer.length) {
      const length = this.#end - this.#start;
      const larger = new Uint8Array(Math.max(this.#buffer.length, length * 2));
      larger.set(this.#buffer.subarray(this.#start, this.#end));
      this.#buffer = larger;
      this.#start = 0;
      this.#end = length;
    }
    const received = await this.#source.read(this.#buffer.subarray(this.#end), signal);
    this.#end += received;
    return received > 0;
  }
}

function cutShort(): Refused {
  return refused("bad_request", "Read an HTTP request: it is malformed or ends too early");
}

function tooLarge(bytesMax: number): Refused {
  return refused(
    "too_large",
    `Read the body of an HTTP request: wanted at most ${bytesMax} bytes`,
    bytesMax === 0 ? "Send this call without a body" : "Send it in several calls",
  );
}
