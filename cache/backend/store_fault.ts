/** Failures on their way to the place that knows the operation and the backend. */
import type { BackendErrorCode } from "./backend.ts";

/**
 * A failure that is no answer with a status of its own; `message` is a reason as in messages,
 * without secrets.
 */
export class StoreFault extends Error {
  override readonly name = "StoreFault";

  constructor(
    readonly code: BackendErrorCode,
    message: string,
    readonly hint: string | null = null,
    options: ErrorOptions = {},
  ) {
    super(message, options);
  }
}

/**
 * Deno before 2.9 decompresses what is stored with a Content-Encoding, whatever the request asks
 * for, and hides its length.
 */
export const DECOMPRESSED = [
  "invalid",
  "it is stored with a Content-Encoding, which this version of Deno cannot leave as it is",
  "Store the object without Content-Encoding, or use a build with Deno 2.9 or later",
] as const;
