/** What the SDKs of stores give to be sent. */
import { assert } from "../platform/assert.ts";

/** `body` as `fetch` takes it: text, bytes, or nothing. */
export function bodyOf(body: unknown): Uint8Array<ArrayBuffer> | string | null {
  if (body === undefined || body === null) return null;
  if (typeof body === "string") return body;
  assert(
    body instanceof Uint8Array && body.buffer instanceof ArrayBuffer,
    "The SDK is only given bytes to send",
  );
  return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
}
