/** What a credential says of itself: until when it is good, and what for. */
import type { BackendSettings, Source } from "../../cache/backend/settings.ts";
import type { Clock } from "../../cache/platform/clock.ts";
import { bad, doubtful, type Finding, good } from "../../cache/platform/finding.ts";
import { formatDuration } from "../../cache/platform/units.ts";
import { type Check, LOCAL_DEADLINE_MS } from "./check.ts";

/** Renewing one takes people a day. */
const SOON_MS = 24 * 3_600_000;

/** The readable part of a credential, none of it secret. Times in milliseconds since the epoch. */
export interface CredentialTerms {
  readonly startsMs: number | null;
  readonly expiresMs: number | null;
  /** Rights it lacks; `""` when it has those of a mount. */
  readonly lacks: string;
}

/** The terms of the credential of `source`; null for those that only their use tells about. */
export function credentialTerms(source: Source): CredentialTerms | null {
  switch (source.type) {
    case "local":
      return null;
    case "azureblob":
      return source.auth.method === "sas" ? sasTerms(source.auth.sasToken.reveal()) : null;
    case "s3":
      // Neither keys nor session tokens say when they end.
      return null;
    case "gcs":
      // Tokens are renewed, and what they are renewed with does not say when it ends.
      return null;
  }
}

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

const RENEW = "Make a new one, put it where auth of the backend says, and start the mount again";

/** The fields of a shared access signature that are not its signature. */
function sasTerms(token: string): CredentialTerms {
  const query = new URLSearchParams(token.replace(/^\?/, ""));
  const rights = query.get("sp");
  const missing = [["r", "read"], ["l", "list"]] as const;
  return {
    startsMs: parseTime(query.get("st")),
    expiresMs: parseTime(query.get("se")),
    lacks: rights === null
      ? ""
      : missing.flatMap(([letter, word]) => rights.includes(letter) ? [] : [word]).join(" and "),
  };
}

function parseTime(text: string | null): number | null {
  const ms = Date.parse(text ?? "");
  return Number.isNaN(ms) ? null : ms;
}
