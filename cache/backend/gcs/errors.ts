/** What Cloud Storage answers, as errors of the backend contract. */
import { z } from "zod";
import { firstLine, jsonOrNull } from "../answer_text.ts";
import type { BackendError, BackendOperation } from "../backend.ts";
import { type Refusal, xmlElement } from "../refusal.ts";
import { DECOMPRESSED } from "../store_fault.ts";
import {
  refusalError,
  type RefusedOperation,
  type Saying,
  type Verdict,
  verdict,
} from "../verdict.ts";
import type { Clock } from "../../platform/clock.ts";

/** An answer that the service would not give, such as a proxy's own page. */
export const NO_GCS_SERVICE = [
  "unavailable",
  "the answer is none of a Cloud Storage service",
  "Check the endpoint of the backend, and proxies on the way to it",
] as const;

/** What failed, for messages. */
export interface FailedOperation extends RefusedOperation {
  readonly bucket: string;
}

/** The error that `refusal` of `failed` stands for. */
export function refusedOperation(
  refusal: Refusal,
  failed: FailedOperation,
  clock: Clock,
): BackendError {
  const saying = sayingOf(refusal);
  return refusalError(refusal, failed, judge(refusal, saying, failed), saying, clock.wallMs());
}

/** Whether `refusal` is about the bucket, where it could be about an object. */
export function isBucketMissing(refusal: Refusal): boolean {
  return refusal.status === 404 && NO_BUCKET.test(sayingOf(refusal).message);
}

/** Whether the service minds the token: then a newer one may do. */
export function isRefusedCredential(refusal: Refusal): boolean {
  const { status } = refusal;
  return status === 401 || (status === 403 && !THROTTLING.test(sayingOf(refusal).code));
}

const ERROR_BODY = z.object({
  error: z.object({
    message: z.string().prefault(""),
    errors: z.array(z.object({ reason: z.string().prefault("") })).prefault([]),
  }),
});

/** Errors of metadata are JSON, those of bytes plain text, and those of load balancers XML. */
function sayingOf({ body }: Refusal): Saying {
  const json = ERROR_BODY.safeParse(jsonOrNull(body));
  if (json.success) {
    const { message, errors } = json.data.error;
    return { code: errors[0]?.reason ?? "", message: firstLine(message) };
  }
  if (!body.trimStart().startsWith("<")) return { code: "", message: firstLine(body) };
  return {
    code: xmlElement(body, "Code") ?? "",
    message: firstLine(xmlElement(body, "Details") ?? xmlElement(body, "Message") ?? ""),
  };
}

const NO_BUCKET = /bucket does not exist/i;
const REQUESTER_PAYS = /requester pays|userProjectMissing/i;
/** Reasons of 403 that are about speed, not about rights. */
const THROTTLING = /^(rateLimitExceeded|userRateLimitExceeded|quotaExceeded|SlowDown)$/;

// Status codes: https://cloud.google.com/storage/docs/json_api/v1/status-codes
function judge(refusal: Refusal, saying: Saying, failed: FailedOperation): Verdict {
  const { status, header } = refusal;
  if (REQUESTER_PAYS.test(`${saying.code} ${saying.message}`)) {
    return verdict("denied", null, "Name the project that pays in user_project of the backend");
  }
  if (THROTTLING.test(saying.code)) return verdict("throttled", "the service asks to slow down");
  switch (status) {
    case 401:
    case 403:
      return verdict("denied", null, denialHint(status, saying, failed));
    case 404:
      return absence(saying, failed);
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
      if (status === 200 && header("x-goog-stored-content-encoding") === "gzip") {
        return verdict(...DECOMPRESSED);
      }
      if (status < 400) return verdict(...NO_GCS_SERVICE);
      return verdict(status < 500 ? "invalid" : "unavailable");
  }
}

function absence({ message }: Saying, failed: FailedOperation): Verdict {
  const { operation, bucket } = failed;
  const hint = "Check root (the bucket) and endpoint of the backend";
  // A listing finds nothing of a bucket that is there.
  if (NO_BUCKET.test(message) || operation === "list" || operation === "put") {
    return verdict("not_found", `there is no bucket "${bucket}"`, hint);
  }
  if (operation === "read") return verdict("changed", "the object was deleted since it was opened");
  return verdict("not_found");
}

/** What to grant: https://cloud.google.com/storage/docs/access-control/iam-json */
const PERMISSIONS: Readonly<Record<BackendOperation, string>> = {
  list: "storage.objects.list",
  stat: "storage.objects.get and storage.objects.list",
  read: "storage.objects.get",
  put: "storage.objects.create and storage.objects.delete",
  remove: "storage.objects.delete",
  copy: "storage.objects.get, storage.objects.create and storage.objects.delete",
};

function denialHint(status: number, { message }: Saying, failed: FailedOperation): string {
  const grant = `Allow the identity ${PERMISSIONS[failed.operation]} on bucket "${failed.bucket}"`;
  if (/insufficient authentication scopes/i.test(message)) {
    return "Widen the access scopes of the machine to Storage, or set another auth of the backend";
  }
  if (/^anonymous caller/i.test(message)) {
    return `The bucket is not public: set another auth of the backend`;
  }
  if (status === 401) return "Check auth of the backend: the service does not take its token";
  return `${grant}, or check auth of the backend`;
}
