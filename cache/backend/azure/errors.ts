/** What Azure Blob Storage and the way to it answer, as errors of the backend contract. */
import { BackendError, type BackendErrorCode, type BackendOperation } from "../backend.ts";
import { redactUrls } from "../broken_connection.ts";
import { parseRetryAfterMs, type Refusal, RefusedError, xmlElement } from "../refusal.ts";
import type { Clock } from "../../platform/clock.ts";

/** An answer that the service would not give, such as a proxy's own page. */
export const NO_BLOB_SERVICE = [
  "unavailable",
  "the answer is none of a Blob service",
  "Check the endpoint of the backend, and proxies on the way to it",
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
  const serviceCode = refusal.header("x-ms-error-code") ?? xmlElement(refusal.body, "Code");
  const verdict = judge(refusal.status, serviceCode ?? "", failed);
  // Later lines hold request ids and times, and for signatures the string that was signed.
  const said = xmlElement(refusal.body, "Message")?.split("\n")[0]?.trim();
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
