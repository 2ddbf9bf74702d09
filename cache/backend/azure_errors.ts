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

/** Any other failure on its way there; `message` is a reason as in messages, without secrets. */
export class AzureFault extends Error {
  override readonly name = "AzureFault";

  constructor(
    readonly code: BackendErrorCode,
    message: string,
    readonly hint: string | null = null,
    options: ErrorOptions = {},
  ) {
    super(message, options);
  }
}

/** An answer that the service would not give, such as a proxy's own page. */
export const NO_BLOB_SERVICE = [
  "unavailable",
  "the answer is none of a Blob service",
  "Check the endpoint of the backend, and proxies on the way to it",
] as const;

/**
 * Deno before 2.9 decompresses what is stored with a Content-Encoding, whatever the request asks
 * for, and hides its length.
 */
export const DECOMPRESSED = [
  "invalid",
  "it is stored with a Content-Encoding, which this version of Deno cannot leave as it is",
  "Store the object without Content-Encoding, or use a build with Deno 2.9 or later",
] as const;

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

function verdict(
  code: BackendErrorCode,
  meaning: string | null = null,
  hint: string | null = null,
): Verdict {
  return { code, meaning, hint };
}

/** Conflicts that pass by themselves; all others are about what was asked. */
const PASSING_CONFLICTS: ReadonlySet<string> = new Set([
  "AccountBeingCreated",
  "ContainerBeingDeleted",
  "ContainerDisabled",
  "PendingCopyOperation",
]);

/** Codes of refused credentials, which come with various statuses. */
const DENIAL = /^(Authentication|Authorization|InvalidAuth|NoAuthentication|PublicAccessNot)/;

// Error codes: https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
function judge(status: number, serviceCode: string, failed: FailedOperation): Verdict {
  const reading = failed.operation === "read";
  if (status === 401 || status === 403 || DENIAL.test(serviceCode)) {
    return verdict("denied", null, denialHint(serviceCode, `"${failed.container}"`));
  }
  switch (status) {
    case 404:
      return absence(serviceCode, failed);
    case 412:
      return reading
        ? verdict("changed", "the object was overwritten or deleted since it was opened")
        : verdict("denied", null, "Release the lease on the object first");
    case 409:
      if (PASSING_CONFLICTS.has(serviceCode)) return verdict("throttled");
      return serviceCode === "BlobArchived"
        ? verdict("invalid", null, "Move the object out of the archive tier")
        : verdict("invalid");
    case 429:
    case 503:
      return verdict("throttled", "the service asks to slow down");
    case 408:
      return verdict("unavailable");
    default:
      if (status < 400) return verdict(...NO_BLOB_SERVICE);
      return verdict(status < 500 ? "invalid" : "unavailable");
  }
}

function absence(serviceCode: string, failed: FailedOperation): Verdict {
  const hint = "Check root (the container) and account of the backend";
  if (serviceCode === "ContainerNotFound") {
    return verdict("not_found", `there is no container "${failed.container}"`, hint);
  }
  if (failed.operation === "read") {
    return verdict("changed", "the object was deleted since it was opened");
  }
  return verdict("not_found", null, failed.operation === "list" ? hint : null);
}

function denialHint(serviceCode: string, container: string): string {
  switch (serviceCode) {
    case "AuthenticationFailed":
      return "Check the key or SAS (expired, or of another account?) and the clock of this machine";
    case "AuthorizationPermissionMismatch":
      return `Grant the identity the role "Storage Blob Data Reader" on container ${container}, ` +
        "or use a SAS that allows read and list";
    case "AuthorizationFailure":
      return "Check the key or what the SAS allows, and that the account's firewall lets us in";
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
export function brokenConnection(error: unknown, url: string): AzureFault {
  const text = redactUrls(chainText(error));
  const host = new URL(url).host;
  // The cause would print the URL, and with it the signature of a SAS.
  const options = { cause: new Error(text) };
  if (/connection refused/i.test(text)) {
    return new AzureFault(
      "unavailable",
      `connection refused by ${host}`,
      "Check that the endpoint is right and the service runs",
      options,
    );
  }
  if (/dns error/i.test(text)) {
    return new AzureFault(
      "unavailable",
      `the name of ${host} cannot be resolved`,
      "Check account and endpoint of the backend, and the name server of this machine",
      options,
    );
  }
  if (/certificate|UnknownIssuer/i.test(text)) {
    return new AzureFault(
      "unavailable",
      `the certificate of ${host} is not trusted`,
      "Name the file of its issuer in NODE_EXTRA_CA_CERTS",
      options,
    );
  }
  if (/tls|handshake/i.test(text)) {
    return new AzureFault(
      "unavailable",
      `no TLS connection to ${host}`,
      "Check whether the endpoint should start with http: instead of https:",
      options,
    );
  }
  if (/reset|broken pipe/i.test(text)) {
    return new AzureFault("unavailable", `the connection to ${host} was reset`, null, options);
  }
  if (
    /closed before message|reading a body|body from connection|end of file|unexpected eof/i.test(
      text,
    )
  ) {
    return new AzureFault("unavailable", `the connection to ${host} broke off`, null, options);
  }
  return new AzureFault(
    "unavailable",
    `no answer from ${host}`,
    "Check the network to it",
    options,
  );
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
