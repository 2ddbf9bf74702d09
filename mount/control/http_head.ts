/** The head of an HTTP/1.1 request (RFC 9112): text → what is asked for, or why not. Pure. */
import { type Refused, refused } from "./route.ts";

/** Bytes of the longest head; RFC 9112 asks for 8,000 of the request line alone. */
export const HEAD_BYTES_MAX = 16 * 1024;
const HEADERS_MAX = 100;

/** How the body is delimited. */
export type BodyForm =
  | { readonly kind: "none" }
  | { readonly kind: "sized"; readonly bytes: number }
  | { readonly kind: "chunked" };

/** What a request asks for. */
export interface RequestHead {
  readonly kind: "head";
  readonly method: string;
  /** As written, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: BodyForm;
  /** The client sends its body once it is told to go on (`Expect: 100-continue`). */
  readonly expectsContinue: boolean;
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const REQUEST_LINE = new RegExp(`^(${TOKEN}) ([!-~]+) HTTP/1\\.(\\d)$`);
const HEADER = new RegExp(`^(${TOKEN}):[ \\t]*(.*?)[ \\t]*$`);

/** Reads the lines of a head, without the empty one behind it. */
export function parseHead(text: string): RequestHead | Refused {
  const [first = "", ...lines] = text.split("\r\n");
  const line = REQUEST_LINE.exec(first);
  if (line === null) return wrong("its first line is no request line of HTTP/1.1");
  const [, method = "", target = "", minor] = line;
  if (minor === "0") return wrong("it is HTTP/1.0, wanted HTTP/1.1");
  const place = parseTarget(target);
  if (place === null) return wrong("its target is no path");
  const headers = parseHeaders(lines);
  if (headers === null) return wrong("a header line is malformed, or there are too many");
  const body = bodyForm(headers);
  if (body === null) return wrong("the length of its body is contradictory or not understood");
  const expectsContinue = headers.get("expect")?.join().toLowerCase() === "100-continue";
  return { kind: "head", method, ...place, body, expectsContinue };
}

function wrong(reason: string): Refused {
  return refused("bad_request", `Read an HTTP request: ${reason}`);
}

/** A path, or a URL as a client writes it that thinks of the socket as a proxy. */
function parseTarget(
  target: string,
): { readonly path: string; readonly query: URLSearchParams } | null {
  const match = /^(?:http:\/\/[^/?#]*)?(\/[^?#]*)(?:\?([^#]*))?$/i.exec(target);
  if (match === null) return null;
  return { path: match[1] ?? "/", query: new URLSearchParams(match[2] ?? "") };
}

/** Values by lower-case name; null when a line is no header. Folded lines are refused. */
function parseHeaders(lines: readonly string[]): ReadonlyMap<string, readonly string[]> | null {
  if (lines.length > HEADERS_MAX) return null;
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const match = HEADER.exec(line);
    if (match === null) return null;
    const name = (match[1] ?? "").toLowerCase();
    const values = headers.get(name);
    if (values === undefined) headers.set(name, [match[2] ?? ""]);
    else values.push(match[2] ?? "");
  }
  return headers;
}

/** A request with two lengths is how requests are smuggled, and is refused. */
function bodyForm(headers: ReadonlyMap<string, readonly string[]>): BodyForm | null {
  const lengths = headers.get("content-length");
  const codings = headers.get("transfer-encoding");
  if (codings !== undefined) {
    const chunked = codings.length === 1 && codings[0]?.toLowerCase() === "chunked";
    return chunked && lengths === undefined ? { kind: "chunked" } : null;
  }
  if (lengths === undefined) return { kind: "none" };
  const [length = ""] = lengths;
  if (lengths.length > 1 || !/^\d{1,12}$/.test(length)) return null;
  return length === "0" ? { kind: "none" } : { kind: "sized", bytes: Number(length) };
}
