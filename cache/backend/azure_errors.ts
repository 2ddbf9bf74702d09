/** What Azure Blob Storage and the way to it answer, as errors of the backend contract. */
import { BackendError, type BackendErrorCode, type BackendOperation } from "./backend.ts";
import { REDACTED } from "../platform/secret.ts";
import type { Clock } from "../platform/clock.ts";

/** An answer that is not what was asked for; `header` looks a header up by its lower-case name. */
export interface Refusal {
  readonly status: number;
  readonly header: (name: string) => string | null;
  /** XML of the service, or whatever came; `""` for HEAD. */
  readonly body: string;
}

/** A {@linkcode Refusal} on its way to the place that knows the operation. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";

  constructor(readonly refusal: Refusal) {
    super(`The service answered ${refusal.status}`);
  }
}

/** No answer, or one that broke off or makes no sense; `message` says how, without secrets. */
export class BrokenAnswerError extends Error {
  override readonly name = "BrokenAnswerError";

  constructor(message: string, readonly hint: string | null = null, options: ErrorOptions = {}) {
    super(message, options);
  }
}

/** Reason and hint for an answer that the service would not give, such as a proxy's own page. */
export const NO_BLOB_SERVICE = [
  "the answer is none of a Blob service",
  "Check the endpoint of the backend, and proxies on the way to it",
] as const;

/** No usable credential; `code` tells a wrong set-up from an issuer that does not answer. */
export class CredentialError extends Error {
  override readonly name = "CredentialError";

  constructor(
    readonly code: "denied" | "unavailable",
    message: string,
    readonly hint: string,
    options: ErrorOptions = {},
  ) {
    super(message, options);
  }
}

/** What failed, for messages. */
export interface FailedOperation {
  readonly backend: string;
  readonly operation: BackendOperation;
  readonly path: string;
  readonly container: string;
}

/** The error that `refusal` of `failed` stands for. */
export function refusedOperation(
  refusal: Refusal,
  failed: FailedOperation,
  clock: Clock,
): BackendError {
  const serviceCode = refusal.header("x-ms-error-code") ?? element(refusal.body, "Code");
  const verdict = judge(refusal.status, serviceCode ?? "", failed);
  // Later lines hold request ids and times, and for signatures the string that was signed.
  const said = element(refusal.body, "Message")?.split("\n")[0]?.trim();
  const answer = `the service answered ${refusal.status}` +
    (serviceCode === null ? "" : ` ${serviceCode}`) + (said ? ` (${redactUrls(said)})` : "");
  const retryAfterMs = verdict.code === "throttled"
    ? parseRetryAfterMs(refusal.header("retry-after"), clock.wallMs())
    : null;
  return new BackendError(
    verdict.code,
    failed.backend,
    failed.operation,
    failed.path,
    verdict.meaning === null ? answer : `${verdict.meaning}: ${answer}`,
    verdict.hint,
    retryAfterMs,
    { cause: new RefusedError(refusal) },
  );
}

interface Verdict {
  readonly code: BackendErrorCode;
  readonly meaning: string | null;
  readonly hint: string | null;
}

/** Conflicts that pass by themselves; all others are about what was asked. */
const PASSING_CONFLICTS: ReadonlySet<string> = new Set([
  "AccountBeingCreated",
  "ContainerBeingDeleted",
  "ContainerDisabled",
  "PendingCopyOperation",
]);

// Error codes: https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
function judge(status: number, serviceCode: string, failed: FailedOperation): Verdict {
  const quoted = `"${failed.container}"`;
  if (
    /^(Authentication|Authorization|InvalidAuthenticationInfo|NoAuthentication)/.test(serviceCode)
  ) {
    return { code: "denied", meaning: null, hint: denialHint(serviceCode, quoted) };
  }
  if (serviceCode === "PublicAccessNotPermitted") {
    return { code: "denied", meaning: null, hint: denialHint(serviceCode, quoted) };
  }
  switch (status) {
    case 401:
    case 403:
      return { code: "denied", meaning: null, hint: denialHint(serviceCode, quoted) };
    case 404:
      if (serviceCode !== "ContainerNotFound" && failed.operation === "read") {
        return {
          code: "changed",
          meaning: "the object was deleted since it was opened",
          hint: null,
        };
      }
      return {
        code: "not_found",
        meaning: serviceCode === "ContainerNotFound" ? `there is no container ${quoted}` : null,
        hint: serviceCode === "ContainerNotFound" || failed.operation === "list"
          ? "Check root (the container) and account of the backend"
          : null,
      };
    case 412:
      return failed.operation === "read"
        ? {
          code: "changed",
          meaning: "the object was overwritten or deleted since it was opened",
          hint: null,
        }
        : { code: "denied", meaning: null, hint: "Release the lease on the object first" };
    case 409:
      if (serviceCode === "BlobArchived") {
        return { code: "invalid", meaning: null, hint: "Move the object out of the archive tier" };
      }
      return PASSING_CONFLICTS.has(serviceCode)
        ? { code: "throttled", meaning: null, hint: null }
        : { code: "invalid", meaning: null, hint: null };
    case 429:
    case 503:
      return { code: "throttled", meaning: "the service asks to slow down", hint: null };
    case 408:
      return { code: "unavailable", meaning: null, hint: null };
    default:
      if (status >= 500) return { code: "unavailable", meaning: null, hint: null };
      if (status >= 400) return { code: "invalid", meaning: null, hint: null };
      return { code: "unavailable", meaning: NO_BLOB_SERVICE[0], hint: NO_BLOB_SERVICE[1] };
  }
}

function denialHint(serviceCode: string, container: string): string {
  switch (serviceCode) {
    case "AuthenticationFailed":
      return "Check the key or SAS (expired, or of another account?) and the clock of this machine";
    case "AuthorizationPermissionMismatch":
      return `Grant the identity the role "Storage Blob Data Reader" on container ${container}, ` +
        "or use a SAS that allows read and list";
    case "AuthorizationFailure":
      return "Check that the firewall of the account lets this machine in and what the SAS allows";
    case "AuthorizationProtocolMismatch":
      return "The SAS allows https only: use an https endpoint";
    case "PublicAccessNotPermitted":
    case "NoAuthenticationInformation":
      return "The account allows no anonymous access: set auth of the backend";
    default:
      return `Check auth of the backend and its rights on container ${container}`;
  }
}

/** The error that a failed `fetch` of `url` stands for. */
export function brokenConnection(error: unknown, url: string): BrokenAnswerError {
  const text = redactUrls(chainText(error));
  const host = new URL(url).host;
  // The cause would print the URL, and with it the signature of a SAS.
  const options = { cause: new Error(text) };
  if (/connection refused/i.test(text)) {
    return new BrokenAnswerError(
      `connection refused by ${host}`,
      "Check that the endpoint is right and the service runs",
      options,
    );
  }
  if (/dns error/i.test(text)) {
    return new BrokenAnswerError(
      `the name of ${host} cannot be resolved`,
      "Check account and endpoint of the backend, and the name server of this machine",
      options,
    );
  }
  if (/certificate|UnknownIssuer/i.test(text)) {
    return new BrokenAnswerError(
      `the certificate of ${host} is not trusted`,
      "Name the file of its issuer in NODE_EXTRA_CA_CERTS",
      options,
    );
  }
  if (/tls|handshake/i.test(text)) {
    return new BrokenAnswerError(
      `no TLS connection to ${host}`,
      "Check whether the endpoint should start with http: instead of https:",
      options,
    );
  }
  if (/reset|broken pipe/i.test(text)) {
    return new BrokenAnswerError(`the connection to ${host} was reset`, null, options);
  }
  if (
    /closed before message|reading a body|body from connection|end of file|unexpected eof/i.test(
      text,
    )
  ) {
    return new BrokenAnswerError(`the connection to ${host} broke off`, null, options);
  }
  return new BrokenAnswerError(`no answer from ${host}`, "Check the network to it", options);
}

/** Milliseconds meant by a Retry-After header, in seconds or as a date; null when it has none. */
export function parseRetryAfterMs(header: string | null, nowMs: number): number | null {
  if (header === null) return null;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000;
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - nowMs);
}

/** `text` with the query of every URL in it blanked: that of a SAS is a credential. */
export function redactUrls(text: string): string {
  return text.replace(/(https?:\/\/[^\s?"')]*)\?[^\s"')]*/g, `$1?${REDACTED}`);
}

function chainText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${chainText(error.cause)}`;
}

function element(xml: string, name: string): string | null {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? null;
}
