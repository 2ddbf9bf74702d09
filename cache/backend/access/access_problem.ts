/**
 * Why a store does not let a backend in: the kinds of failure an operator can tell apart and mend.
 * Providers say what they know in the code, reason and hint of a `BackendError`; what they cannot
 * know, such as the clock of this machine, is added here. Pure.
 */
import { BackendError } from "../backend.ts";
import { IssuerError } from "../identity/issuer_error.ts";
import { addCause } from "../../platform/log.ts";
import { CLOCK_REMEDY, describeSkew, SKEW_MS_MAX } from "./clock_skew.ts";
import type { CredentialTerms } from "./credential_terms.ts";

/** What is wrong. */
export type AccessProblem =
  | "no answer"
  | "wrong endpoint"
  | "wrong container"
  /** Of a local backend. */
  | "wrong root"
  | "wrong region"
  | "clock skew"
  | "expired credential"
  | "credential refused"
  | "no credential"
  | "no permission to list"
  | "no permission to read"
  | "asked to slow down"
  | "other failure";

/** What is known besides the error. */
export interface AccessFacts {
  /** What was tried. */
  readonly operation: "list" | "read";
  /** When listing was denied: whether the credential was let in to ask for an object. */
  readonly mayAskForObjects: boolean;
  /** How far the clock of this machine is ahead; null: not known. */
  readonly skewMs: number | null;
  readonly terms: CredentialTerms | null;
  readonly nowMs: number;
}

/** A problem with the words for it. */
export interface AccessVerdict {
  readonly problem: AccessProblem;
  readonly detail: string;
  readonly remedy: string;
}

/** Codes of S3 and GCS for a bucket that is elsewhere; Azure has one address per account. */
const REGION = /PermanentRedirect|AuthorizationHeaderMalformed|wrong region|region '.*' is wrong/i;
/** Codes of S3, then what Azure says of the date of a request, and Google of that of a proof. */
const CLOCK = /RequestTimeTooSkewed|RequestExpired|Date header|in a reasonable timeframe/i;
/** Codes of Entra for a proof that is not of now: of an application, of another issuer. */
const CLOCK_OF_PROOF = /AADSTS(700024|500133)/;
/** ExpiredToken of S3, what Azure says of a SAS, and Entra's code for an old client secret. */
const EXPIRED = /Expired|not valid in the specified time frame|AADSTS7000222/i;
/**
 * What S3, Azure and Google say to whom they know and who lacks a right. Without the right to list
 * they hide which objects there are, so asking for one that is missing tells nothing.
 */
const KNOWN_WITHOUT_RIGHT =
  /\bAccessDenied\b|AuthorizationPermissionMismatch|(?<!Anonymous caller) does not have storage\./;
/** What a local directory says of a missing right: nothing there is a credential. */
const CLOSED = /this user may not open/;
/** A local directory that is not there. */
const ROOT = /^its root ".*" (does not exist|is no directory)/;
/** Nothing at this address speaks the protocol, or there is no such address. */
const ENDPOINT = /answer is none of|cannot be resolved|no TLS connection|not trusted/i;

/** What `error` means. */
export function judgeAccess(error: BackendError, facts: AccessFacts): AccessVerdict {
  const problem = problemOf(error, facts);
  return {
    problem,
    detail: `${problem}: ${detailOf(problem, error, facts)}`,
    remedy: REMEDIES[problem] ?? error.hint ?? "Check config and auth of the backend",
  };
}

function problemOf(error: BackendError, facts: AccessFacts): AccessProblem {
  const said = sayingOf(error);
  if (REGION.test(said)) return "wrong region";
  switch (error.code) {
    case "not_found":
      return "wrong container";
    case "denied":
      return denialOf(error, said, facts);
    case "throttled":
      return "asked to slow down";
    case "unavailable":
    case "timeout":
    case "degraded":
      if (ROOT.test(said)) return "wrong root";
      return ENDPOINT.test(said) ? "wrong endpoint" : "no answer";
    case "changed":
    case "invalid":
      return "other failure";
  }
}

function denialOf(error: BackendError, said: string, facts: AccessFacts): AccessProblem {
  const { operation, mayAskForObjects, skewMs, terms, nowMs } = facts;
  // A wrong clock makes good credentials look expired, so it comes first.
  const late = CLOCK.test(said) || CLOCK_OF_PROOF.test(said);
  if (late || (skewMs !== null && Math.abs(skewMs) >= SKEW_MS_MAX)) return "clock skew";
  const expired = terms !== null && terms.expiresMs !== null && terms.expiresMs <= nowMs;
  if (expired || EXPIRED.test(said)) return "expired credential";
  if (isFromIssuer(error.cause)) return "no credential";
  if (operation === "read") return "no permission to read";
  const known = mayAskForObjects || KNOWN_WITHOUT_RIGHT.test(said) || CLOSED.test(said);
  return known ? "no permission to list" : "credential refused";
}

/** Whether the store was not asked, because who gives out credentials gave none. */
function isFromIssuer(cause: unknown): boolean {
  if (cause instanceof IssuerError) return true;
  return cause instanceof Error && isFromIssuer(cause.cause);
}

/** What mends a problem whoever the provider is; the others have the provider's own hint. */
const REMEDIES: Partial<Readonly<Record<AccessProblem, string>>> = {
  "clock skew": CLOCK_REMEDY,
  "expired credential": "Renew the credential where auth of the backend finds it",
  "wrong region": "Set the region of the backend to that of the bucket",
  "asked to slow down": "Lower max_requests of the backend, or ask for a higher limit",
};

function detailOf(problem: AccessProblem, error: BackendError, facts: AccessFacts): string {
  const skew = problem === "clock skew" && facts.skewMs !== null
    ? `${describeSkew(facts.skewMs)}; `
    : "";
  return skew + reasonOf(error);
}

/** The reason with the causes behind it that say more. */
function reasonOf({ code, reason, cause }: BackendError): string {
  // The answer of a store that refused is in the reason; a broken connection has more to say.
  return code === "unavailable" && cause !== undefined ? addCause(reason, cause) : reason;
}

function sayingOf({ reason, cause }: BackendError): string {
  return cause === undefined ? reason : addCause(reason, cause);
}
