/**
 * Tokens that the library of Google obtains. Loaded, with the library, at the first one: that takes
 * a tenth of a second which nobody else need pay. A client is made anew for each token, because it
 * keeps what it has until five minutes before its end, and would give out again what was refused.
 */
import { GoogleAuth } from "google-auth-library";
import { z } from "zod";
import { IssuerError } from "../identity/issuer_error.ts";
import type { Issued } from "../identity/renewed_credential.ts";
import { libraryFailure } from "./issuer_answer.ts";
import type { KeyFile } from "./key_file.ts";
import type { Clock } from "../../platform/clock.ts";

/** How long a token of which nobody says when it ends is used: far less than any lasts. */
const UNKNOWN_LIFE_MS = 300_000;

const CREDENTIALS = z.looseObject({ type: z.string() });

/** A token for a file of credentials of its own kind: federation, impersonation. */
export async function fileToken(
  key: Extract<KeyFile, { type: "other" }>,
  scope: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<Issued<string>> {
  const json = CREDENTIALS.parse(JSON.parse(key.text.reveal()));
  try {
    const auth = new GoogleAuth({ scopes: scope });
    const client = auth.fromJSON(json, { transporterOptions: { signal } });
    const { token } = await client.getAccessToken();
    if (!token) throw new IssuerError("the issuer gave out no token", null);
    const expiresMs = client.credentials.expiry_date ?? clock.wallMs() + UNKNOWN_LIFE_MS;
    return { value: token, expiresMs };
  } catch (error) {
    throw libraryFailure(error);
  }
}
