/** What Azure Blob Storage and the way to it answer, as errors of the backend contract. */
import type { BackendError } from "../backend.ts";
import { type Refusal, xmlElement } from "../refusal.ts";
import { refusalError, type RefusedOperation, type Verdict, verdict } from "../verdict.ts";
import type { Clock } from "../../platform/clock.ts";

/** An answer that the service would not give, such as a proxy's own page. */
export const NO_BLOB_SERVICE = [
  "unavailable",
  "the answer is none of a Blob service",
  "Check the endpoint of the backend, and proxies on the way to it",
] as const;

/** What failed, for messages. */
export interface FailedOperation extends RefusedOperation {
  readonly container: string;
}

/** The error that `refusal` of `failed` stands for. */
export function refusedOperation(
  refusal: Refusal,
  failed: FailedOperation,
  clock: Clock,
): BackendError {
  const { status, header, body } = refusal;
  const code = header("x-ms-error-code") ?? xmlElement(body, "Code") ?? "";
  const message = xmlElement(body, "Message") ?? "";
  const found = judge(status, code, failed);
  return refusalError(refusal, failed, found, { code, message }, clock.wallMs());
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
