/** Answers as HTTP/1.1 writes them: values → bytes. Pure. Each one ends its connection. */
import { API_VERSION, type ApiError, ERROR_STATUS, NDJSON } from "../../ctl/api.ts";
import type { Memory } from "../../cache/platform/libc.ts";
import { joinBytes } from "./join_bytes.ts";

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  413: "Content Too Large",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
};

const encoder = new TextEncoder();

/** Tells a client that waits with its body to send it. */
export const GO_ON: Memory = encoder.encode("HTTP/1.1 100 Continue\r\n\r\n");

/** One JSON object. */
export function encodeAnswer(body: unknown): Memory {
  return encodeWhole(200, [], json(body));
}

/** An error; `retrySeconds` is when to come back, null where that would change nothing. */
export function encodeError(error: ApiError, retrySeconds: number | null): Memory {
  const headers = retrySeconds === null ? [] : [`Retry-After: ${retrySeconds}`];
  return encodeWhole(ERROR_STATUS[error.code], headers, json({ error }));
}

/** The head of a stream of records. */
export function encodeStreamHead(): Memory {
  return encoder.encode(head(200, NDJSON, ["Transfer-Encoding: chunked"]));
}

/** One record of a stream. */
export function encodeRecord(record: unknown): Memory {
  return chunk(json(record));
}

/** The last record of a stream that failed. */
export function encodeErrorRecord(error: ApiError): Memory {
  return chunk(json({ error }));
}

/** The end of a stream that is complete: one that lacks it was cut off. */
export const STREAM_END: Memory = encoder.encode("0\r\n\r\n");

function json(body: unknown): Memory {
  const fields = typeof body === "object" && body !== null ? body : {};
  return encoder.encode(`${JSON.stringify({ version: API_VERSION, ...fields })}\n`);
}

function chunk(bytes: Memory): Memory {
  const size = encoder.encode(`${bytes.length.toString(16)}\r\n`);
  return joinBytes([size, bytes, encoder.encode("\r\n")]);
}

function encodeWhole(status: number, headers: readonly string[], body: Memory): Memory {
  const lines = [...headers, `Content-Length: ${body.length}`];
  return joinBytes([encoder.encode(head(status, "application/json", lines)), body]);
}

function head(status: number, contentType: string, headers: readonly string[]): string {
  return [
    `HTTP/1.1 ${status} ${REASONS[status] ?? "Error"}`,
    `Content-Type: ${contentType}`,
    ...headers,
    "Cache-Control: no-store",
    "Connection: close",
    "",
    "",
  ].join("\r\n");
}
