/**
 * The wire contract of a mount's control sockets, shared by the mount that answers and by whoever
 * asks: HTTP/1.1 with JSON over two Unix sockets. `docs/control-api.md` says it for people.
 *
 * Every call has its {@linkcode Endpoint} here or in a file `ctl/api_<concept>.ts`. Both sides read
 * the same one: the mount checks requests by it and is type-checked against its answer, the client
 * the other way round.
 */
import type { z } from "zod";

/** Version of the contract: the first segment of each path, and `version` in each answer. */
export const API_VERSION = 1;

/** The media type of an answer that is a stream: one JSON object per line. */
export const NDJSON = "application/x-ndjson";

/** A call. Write one as `{ … } satisfies Endpoint`, which keeps the types of its schemas. */
export interface Endpoint {
  readonly method: "GET" | "POST" | "DELETE";
  /** `/v1/…`; a segment `:name` stands for any text, and is a key of the request. */
  readonly path: `/v1/${string}`;
  /**
   * One object: segments of the path, with the query of GET and DELETE or the JSON body of POST.
   * What comes from path and query is text. Strict, so that a misspelt key is not ignored.
   */
  readonly request: z.ZodType;
  /** What answers: one object, or each record of a stream. The mount adds `version`. */
  readonly answer: z.ZodType;
  readonly form: "single" | "stream";
}

/** Why a call was not done, and the HTTP status that goes with it. */
export const ERROR_STATUS = {
  /** The request is not what the endpoint takes. */
  bad_request: 400,
  /** The path asks for a version of the API that this mount does not speak. */
  unsupported_version: 400,
  /** Who asks may not. */
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  /** The request did not arrive in time. */
  timeout: 408,
  /** Right, but not in the present state. */
  conflict: 409,
  /** The body is larger than this call takes. */
  too_large: 413,
  /** The head is larger than any call needs. */
  head_too_large: 431,
  /** Too many requests of one user; `Retry-After` says when to come back. */
  rate_limited: 429,
  /** A bug of the mount; its log says more. */
  internal: 500,
  /** Tried, and failed: a store or a disk did not answer. */
  failed: 502,
  /** Too much at once, or a part of the mount is off. */
  unavailable: 503,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

/** An error on the wire, below the key `error`. */
export interface ApiError {
  readonly code: ErrorCode;
  /** Action, quoted subject, colon, current and wanted state. */
  readonly message: string;
  /** What to run or change next. */
  readonly hint: string | null;
}
