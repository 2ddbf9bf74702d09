/** Failures of those who give out credentials, and what they mean for who wants one. */
import { describeError } from "../../platform/log.ts";
import { firstLine } from "../answer_text.ts";
import { StoreFault } from "../store_fault.ts";

/** A credential that could not be had; the message is what the issuer said, without secrets. */
export class IssuerError extends Error {
  override readonly name = "IssuerError";

  /** `status` of the issuer's answer; null where there was none, or none that is known. */
  constructor(message: string, readonly status: number | null, options: ErrorOptions = {}) {
    super(message, options);
  }
}

/**
 * Codes for an issuer that was not reached, of the system, the AWS SDK and the library of Entra
 * (https://aka.ms/msal.js.errors). The last also stands for a tenant that does not exist, which
 * nobody can tell from an outage.
 */
const UNREACHED = new RegExp(
  "\\b(TimeoutError|ECONN\\w*|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|" +
    "network_error|endpoints_resolution_error)\\b",
);

/** Statuses that pass by themselves: the issuer is asked again, a few times. */
const BUSY: ReadonlySet<number> = new Set([429, 500, 503]);

/** What to do about an issuer that answers, and gives nothing out to anybody. */
const BUSY_HINT = "Look whether the issuer has an outage: it is asked again by and by";

/** Whether an answer with `status` is an issuer's plea to come back later. */
export function isBusyStatus(status: number): boolean {
  return BUSY.has(status);
}

/** Whether `error` is an issuer's plea to come back later; a fault has been judged already. */
export function isBusy(error: unknown): boolean {
  if (error instanceof StoreFault) return false;
  const status = statusOf(error);
  return status !== null && isBusyStatus(status);
}

/** Whether `error` says that an issuer was not reached. */
export function isUnreached(error: unknown): boolean {
  return causesOf(error).some((cause) =>
    UNREACHED.test(codeOf(cause)) || UNREACHED.test(cause.message)
  );
}

/** What a request to an issuer was for. */
export interface WantedCredential {
  /** As in `no access token from Entra`. */
  readonly what: string;
  /** What to look at when the issuer refuses. */
  readonly hint: string;
  /** Whether it has given one out before. */
  readonly obtainedBefore: boolean;
}

/**
 * The fault behind `error`, with which a request for a credential failed: a refusal where the
 * issuer said so, an outage where it said nothing or is busy. Where that cannot be told, it is an
 * outage when it worked before, else a mistake in the settings.
 */
export function issuerFault(error: unknown, wanted: WantedCredential): StoreFault {
  if (error instanceof StoreFault) return error;
  const status = statusOf(error);
  // What is in the way, where it is known whom the request was for.
  const silence = causesOf(error).find((cause) => cause instanceof StoreFault) ?? null;
  const unreached = silence !== null || isUnreached(error);
  const refused = status !== null && status < 500 && status !== 429;
  const outage = !refused && (status !== null || unreached || wanted.obtainedBefore);
  const outageHint = status === null ? silence?.hint ?? wanted.hint : BUSY_HINT;
  const whole = error instanceof IssuerError ? error.message : describeError(error);
  const reason = `no ${wanted.what} (${firstLine(whole)})`;
  return outage
    ? new StoreFault("unavailable", reason, outageHint, { cause: error })
    : new StoreFault("denied", reason, wanted.hint, { cause: error });
}

/** The first status of a refusal in `error` and its causes: any other says nothing of a failure. */
function statusOf(error: unknown): number | null {
  const known = causesOf(error).map((cause) => cause instanceof IssuerError ? cause.status : null);
  return known.find((status) => status !== null && status >= 400) ?? null;
}

function causesOf(error: unknown): readonly Error[] {
  return error instanceof Error ? [error, ...causesOf(error.cause)] : [];
}

/** The code of a system's error, else its name. */
function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}
