/** Whether a credential is good by what it says of itself: until when, and what for. */
import {
  type CredentialTerms,
  credentialTerms,
} from "../../cache/backend/access/credential_terms.ts";
import type { BackendSettings } from "../../cache/backend/settings.ts";
import type { Clock } from "../../cache/platform/clock.ts";
import { bad, doubtful, type Finding, good } from "../../cache/platform/finding.ts";
import { formatDuration } from "../../cache/platform/units.ts";
import { type Check, LOCAL_DEADLINE_MS } from "./check.ts";

/** Renewing one takes people a day. */
const SOON_MS = 24 * 3_600_000;

/** The check of the credential of `settings`; null where there is nothing to look at. */
export function credentialExpiry(settings: BackendSettings, clock: Clock): Check | null {
  const terms = credentialTerms(settings.source);
  if (terms === null) return null;
  const subject = `credential of ${JSON.stringify(settings.name)}`;
  return {
    name: "credential_expiry",
    subject,
    deadlineMs: LOCAL_DEADLINE_MS,
    run: () => Promise.resolve(judgeTerms(subject, terms, clock.wallMs())),
  };
}

/** Judges the terms at time `nowMs`. */
export function judgeTerms(subject: string, terms: CredentialTerms, nowMs: number): Finding {
  const { startsMs, expiresMs, lacks } = terms;
  if (expiresMs !== null && expiresMs <= nowMs) {
    return bad(subject, `it expired at ${new Date(expiresMs).toISOString()}`, RENEW);
  }
  if (startsMs !== null && startsMs > nowMs) {
    return bad(subject, `it begins at ${new Date(startsMs).toISOString()}`, RENEW);
  }
  if (lacks !== "") {
    return bad(subject, `it does not allow to ${lacks}`, "Make one that allows read and list");
  }
  // Whoever has a stored access policy finds the times there.
  if (expiresMs === null) return good(subject, "it names no expiry itself");
  const found = `it expires in ${formatDuration(expiresMs - nowMs)}`;
  return expiresMs - nowMs > SOON_MS ? good(subject, found) : doubtful(subject, found, RENEW);
}

const RENEW = "Make a new one and put it where auth of the backend says; " +
  "only one in a variable needs a new start of the mount";
