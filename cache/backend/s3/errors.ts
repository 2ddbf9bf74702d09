/** What S3, and stores that are compatible with it, answer, as errors of the backend contract. */
import type { BackendError } from "../backend.ts";
import { type Refusal, xmlElement } from "../refusal.ts";
import { refusalError, type RefusedOperation, type Verdict, verdict } from "../verdict.ts";
import type { Clock } from "../../platform/clock.ts";

/** An answer that the service would not give, such as a proxy's own page. */
export const NO_S3_SERVICE = [
  "unavailable",
  "the answer is none of an S3 service",
  "Check the endpoint of the backend, and proxies on the way to it",
] as const;

/** What failed, for messages. */
export interface FailedOperation extends RefusedOperation {
  readonly bucket: string;
  /** The one configured. */
  readonly region: string;
}

/** The error that `refusal` of `failed` stands for. */
export function refusedOperation(
  refusal: Refusal,
  failed: FailedOperation,
  clock: Clock,
): BackendError {
  const code = serviceCodeOf(refusal);
  const message = xmlElement(refusal.body, "Message") ?? "";
  const found = judge(refusal, code, failed);
  return refusalError(refusal, failed, found, { code, message }, clock.wallMs());
}

/** The code of the error in the body of `refusal`; `""` where there is none, as for HEAD. */
export function serviceCodeOf(refusal: Refusal): string {
  return xmlElement(refusal.body, "Code") ?? "";
}

/** Whether the store minds the credentials: then newer ones may do. */
export function isRefusedCredential(refusal: Refusal): boolean {
  const code = serviceCodeOf(refusal);
  if (NOT_OF_CREDENTIALS.test(code)) return false;
  return refusal.status === 401 || refusal.status === 403 || DENIAL.test(code);
}

/** Codes that no credential mends: a clock that is not the store's, an object in an archive. */
const NOT_OF_CREDENTIALS = /^(RequestTimeTooSkewed|RequestExpired|InvalidObjectState)$/;

/** Codes of refused credentials that come with other statuses; the last one is versitygw's. */
const DENIAL =
  /^(ExpiredToken|InvalidToken|TokenRefreshRequired|InvalidAccessKeyId|XAdminUserNotFound)/;
const THROTTLING = /^(SlowDown|Throttl|RequestLimitExceeded|TooManyRequests|OperationAborted)/;

// Error codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
function judge(refusal: Refusal, serviceCode: string, failed: FailedOperation): Verdict {
  const { status } = refusal;
  const region = regionOf(refusal, serviceCode);
  if (region !== null && region !== failed.region) return elsewhere(region, failed);
  if (serviceCode === "PermanentRedirect" || serviceCode === "TemporaryRedirect") {
    return verdict("denied", `the bucket "${failed.bucket}" is at another endpoint`, ELSEWHERE);
  }
  if (serviceCode === "InvalidObjectState") {
    return verdict("invalid", null, "Restore the object from its archive first");
  }
  if (THROTTLING.test(serviceCode)) return verdict("throttled", "the service asks to slow down");
  if (status === 401 || status === 403 || DENIAL.test(serviceCode)) {
    return verdict("denied", null, denialHint(serviceCode, failed));
  }
  if (serviceCode === "RequestTimeout") return verdict("unavailable");
  switch (status) {
    case 404:
      return absence(serviceCode, failed);
    case 412:
      return failed.operation === "read"
        ? verdict("changed", "the object was overwritten or deleted since it was opened")
        : verdict("invalid");
    case 429:
    case 503:
      return verdict("throttled", "the service asks to slow down");
    case 408:
      return verdict("unavailable");
    default:
      if (status < 400) return verdict(...NO_S3_SERVICE);
      return verdict(status < 500 ? "invalid" : "unavailable");
  }
}

const ELSEWHERE = "Set region and endpoint of the backend to those of the bucket";

/** The region of the bucket, where the answer is that it is not the one asked. */
function regionOf({ status, header, body }: Refusal, serviceCode: string): string | null {
  if (status !== 301 && status !== 307 && status !== 400) return null;
  const named = header("x-amz-bucket-region") ?? xmlElement(body, "Region");
  return named ??
    (serviceCode === "AuthorizationHeaderMalformed"
      ? /expecting '([^']+)'/.exec(body)?.[1] ?? null
      : null);
}

function elsewhere(region: string, { bucket, region: configured }: FailedOperation): Verdict {
  return verdict(
    "denied",
    `wrong region: bucket "${bucket}" is in "${region}", and "${configured}" was asked`,
    `Set region of the backend to "${region}"`,
  );
}

function absence(serviceCode: string, failed: FailedOperation): Verdict {
  const hint = "Check root (the bucket) and endpoint of the backend";
  if (serviceCode === "NoSuchBucket") {
    return verdict("not_found", `there is no bucket "${failed.bucket}"`, hint);
  }
  if (failed.operation === "read") {
    return verdict("changed", "the object was deleted since it was opened");
  }
  return verdict("not_found", null, failed.operation === "list" ? hint : null);
}

function denialHint(serviceCode: string, { operation, bucket }: FailedOperation): string {
  switch (serviceCode) {
    case "InvalidAccessKeyId":
    case "XAdminUserNotFound":
      return "Check the access key ID, and that the endpoint is that of its store";
    case "SignatureDoesNotMatch":
      return "Check the secret access key: it is not the one of the access key ID";
    case "RequestTimeTooSkewed":
    case "RequestExpired":
      return "Set the clock of this machine: it differs from the store's by 15 minutes or more";
    case "ExpiredToken":
    case "InvalidToken":
    case "TokenRefreshRequired":
      return "Renew the session token where auth of the backend finds it";
    case "RequestPaymentRequired":
      return "Set requester_pays of the backend";
    default:
      return operation === "list"
        ? `Allow the identity s3:ListBucket on bucket "${bucket}", or check auth of the backend`
        : `Allow the identity s3:GetObject on bucket "${bucket}", or check auth of the backend`;
  }
}
