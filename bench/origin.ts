/**
 * An origin of a benchmark: as much of the Blob service as a mount reads with, over HTTP on
 * loopback, at a set latency and speed. It writes to sockets itself, because it has to cost less
 * than any reader.
 *
 * Every name that states a size is there (`origin_blobs.ts`).
 */
import { blobBytes, BlobContents, listingXml } from "./origin_blobs.ts";
import { SharedBandwidth } from "./shared_bandwidth.ts";
import type { Clock } from "../cache/platform/clock.ts";

/** How the origin behaves. */
export interface OriginShape {
  /** From the end of a request to the first byte of its answer. */
  readonly latencyMs: number;
  /** Of all connections together; Infinity for as fast as it goes. */
  readonly bytesPerSecond: number;
}

/** What the origin has served since it started. */
export interface OriginCounts {
  readonly reads: number;
  readonly bytes: number;
}

const ETAG = '"0x8DD0000000000AA"';
const MODIFIED = "Thu, 01 Jan 2026 00:00:00 GMT";
/** Bytes written to a socket at once: what passes the link in about half a millisecond. */
const PART_BYTES = 256 * 1024;
const HEAD_BYTES_MAX = 16 * 1024;
/** A timer of 19 ms takes 20.3 ms here. */
const TIMER_LATE_MS = 1;
const encoder = new TextEncoder();

interface Request {
  readonly method: string;
  readonly url: URL;
  readonly headers: ReadonlyMap<string, string>;
}

/** Serves connections until its process ends. */
export class Origin {
  readonly #shape: OriginShape;
  readonly #link: SharedBandwidth;
  readonly #contents: BlobContents;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #reads = 0;
  #bytes = 0;

  constructor(shape: OriginShape, seed: string, clock: Clock, signal: AbortSignal) {
    this.#shape = shape;
    this.#link = new SharedBandwidth(shape.bytesPerSecond, clock);
    this.#contents = new BlobContents(seed);
    this.#clock = clock;
    this.#signal = signal;
  }

  /** Answers the requests of one connection, one after the other. */
  async serve(connection: Deno.TcpConn): Promise<void> {
    using _closed = connection;
    connection.setNoDelay(true);
    const buffer = new Uint8Array(HEAD_BYTES_MAX);
    try {
      for (;;) {
        const request = await readRequest(connection, buffer);
        if (request === null) return;
        await this.#answer(connection, request);
      }
    } catch (error) {
      // A client that aborts a request closes its connection.
      if (
        !(error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe)
      ) {
        throw error;
      }
    }
  }

  async #answer(connection: Deno.TcpConn, { method, url, headers }: Request): Promise<void> {
    if (url.pathname === "/counts") {
      const counts: OriginCounts = { reads: this.#reads, bytes: this.#bytes };
      return await send(connection, 200, {}, encoder.encode(JSON.stringify(counts)));
    }
    const waitMs = this.#shape.latencyMs - TIMER_LATE_MS;
    if (waitMs > 0) await this.#clock.sleep(waitMs, this.#signal);
    if (url.searchParams.get("comp") === "list") {
      const listing = listingXml(url.searchParams.get("prefix") ?? "", ETAG, MODIFIED);
      const xml = { "content-type": "application/xml" };
      return await send(connection, 200, xml, encoder.encode(listing));
    }
    const name = decodeURIComponent(url.pathname).split("/").slice(3).join("/");
    const size = blobBytes(name);
    if (size === null) {
      const absent = { "x-ms-error-code": "BlobNotFound" };
      return await send(connection, 404, absent, new Uint8Array());
    }
    const properties = {
      etag: ETAG,
      "last-modified": MODIFIED,
      "x-ms-blob-type": "BlockBlob",
      "content-type": "application/octet-stream",
    };
    if (method === "HEAD") {
      const head = headOf(200, { ...properties, "content-length": String(size) });
      return await writeAll(connection, encoder.encode(head));
    }
    const [start, end] = rangeOf(headers.get("range"), size);
    const head = headOf(206, {
      ...properties,
      "content-length": String(end - start),
      "content-range": `bytes ${start}-${end - 1}/${size}`,
    });
    this.#reads += 1;
    await writeAll(connection, encoder.encode(head));
    for (const part of this.#contents.parts(name, start, end, PART_BYTES)) {
      await this.#link.pass(part.length, this.#signal);
      await writeAll(connection, part);
      this.#bytes += part.length;
    }
  }
}

/** The next request of `connection`; null when there is none any more. */
async function readRequest(connection: Deno.TcpConn, buffer: Uint8Array): Promise<Request | null> {
  let filled = 0;
  let text = "";
  while (!text.endsWith("\r\n\r\n")) {
    const count = await connection.read(buffer.subarray(filled));
    if (count === null) return null;
    filled += count;
    text = new TextDecoder().decode(buffer.subarray(0, filled));
  }
  const [first = "", ...lines] = text.trimEnd().split("\r\n");
  const [method = "", target = ""] = first.split(" ");
  const headers = new Map(lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  }));
  return { method, url: new URL(target, "http://origin"), headers };
}

/** First byte of `range`, and the byte after its last; the whole blob without one. */
export function rangeOf(range: string | undefined, size: number): readonly [number, number] {
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? "") ?? [];
  if (first === undefined || last === undefined) return [0, size];
  return [Number(first), Math.min(size, Number(last) + 1)];
}

function headOf(status: number, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries({ "x-ms-version": "2023-11-03", ...headers })
    .map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} -\r\n${lines.join("")}\r\n`;
}

async function send(
  connection: Deno.TcpConn,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
): Promise<void> {
  const head = encoder.encode(headOf(status, { ...headers, "content-length": `${body.length}` }));
  const whole = new Uint8Array(head.length + body.length);
  whole.set(head);
  whole.set(body, head.length);
  await writeAll(connection, whole);
}

async function writeAll(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await connection.write(rest));
}
