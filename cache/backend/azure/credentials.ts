/** How requests to Azure Blob Storage are authorised, for each way that can be configured. */
import { entraToken } from "../identity/entra_token.ts";
import { JudgedCredential } from "../identity/judged_credential.ts";
import type { RenewalDeps } from "../identity/renewed_credential.ts";
import { type Made, storedCredential } from "../identity/stored_credential.ts";
import type { AzureAuth } from "../settings.ts";
import type { Secret } from "../../platform/secret.ts";

/** Tokens for this scope are good for the blobs of every account. */
const STORAGE_SCOPE = "https://storage.azure.com/.default";

/**
 * What a request carries: a signature by a key, which covers the request, a shared access
 * signature in its URL, or a token.
 */
export type AzureAuthorization =
  | {
    readonly kind: "shared_key" | "sas" | "bearer";
    readonly credential: JudgedCredential<string>;
  }
  | { readonly kind: "anonymous" };

/** Prepares `auth`, without asking anybody for anything yet. */
export function authorization(auth: AzureAuth, deps: RenewalDeps): AzureAuthorization {
  switch (auth.method) {
    case "none":
      deps.onRenewal("success", "none");
      return { kind: "anonymous" };
    case "account_key":
      return { kind: "shared_key", credential: stored(auth.accountKey, asItIs, deps) };
    case "sas":
      return { kind: "sas", credential: stored(auth.sasToken, queryOf, deps) };
    default:
      return { kind: "bearer", credential: entraToken(auth, STORAGE_SCOPE, deps) };
  }
}

function stored(
  secret: Secret,
  make: (text: string) => Made<string>,
  deps: RenewalDeps,
): JudgedCredential<string> {
  const credential = storedCredential([secret], ([read]) => make(read?.reveal() ?? ""), deps);
  const words = { what: "key or SAS", hint: "Check the secret that auth of the backend names" };
  return new JudgedCredential(credential, words);
}

function asItIs(text: string): Made<string> {
  return { value: text, expiresMs: Infinity };
}

/** A SAS as the query of a URL; it says itself when it ends, but where a stored policy does. */
function queryOf(text: string): Made<string> {
  const value = text.replace(/^\?/, "");
  const endMs = Date.parse(new URLSearchParams(value).get("se") ?? "");
  return { value, expiresMs: Number.isNaN(endMs) ? Infinity : endMs };
}
