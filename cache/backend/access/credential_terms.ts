/** What a credential says of itself: until when it is good, and what for. */
import type { Source } from "../settings.ts";

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
