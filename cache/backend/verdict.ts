/** What the refusals of stores come to, in the terms of the backend contract. */
import { BackendError, type BackendErrorCode, type BackendOperation } from "./backend.ts";
import { redactUrls } from "./broken_connection.ts";
import { parseRetryAfterMs, type Refusal, RefusedError } from "./refusal.ts";

/** What a refusal means; null where the store's own words say enough. */
export interface Verdict {
  readonly code: BackendErrorCode;
  readonly meaning: string | null;
  readonly hint: string | null;
}

/** A {@linkcode Verdict}. */
export function verdict(
  code: BackendErrorCode,
  meaning: string | null = null,
  hint: string | null = null,
): Verdict {
  return { code, meaning, hint };
}

/** What was refused. */
export interface RefusedOperation {
  readonly backend: string;
  readonly operation: BackendOperation;
  readonly path: string;
}

/** What the service says of a refusal; `""` for what it does not say. */
export interface Saying {
  /** A word for programs: `NoSuchKey`, `ContainerNotFound`, `rateLimitExceeded`. */
  readonly code: string;
  readonly message: string;
}

/** The error that `refusal` of `failed` is, with what the service said in its own words. */
export function refusalError(
  refusal: Refusal,
  { backend, operation, path }: RefusedOperation,
  { code, meaning, hint }: Verdict,
  saying: Saying,
  nowMs: number,
): BackendError {
  // Later lines hold request ids and times, and for signatures the string that was signed.
  const said = saying.message.split("\n")[0]?.trim() ?? "";
  const answer = `the service answered ${refusal.status}` +
    (saying.code === "" ? "" : ` ${saying.code}`) + (said === "" ? "" : ` (${redactUrls(said)})`);
  const reason = meaning === null ? answer : `${meaning}: ${answer}`;
  const retryAfterMs = code === "throttled"
    ? parseRetryAfterMs(refusal.header("retry-after"), nowMs)
    : null;
  const cause = new RefusedError(refusal);
  return new BackendError(code, backend, operation, path, reason, hint, retryAfterMs, { cause });
}
