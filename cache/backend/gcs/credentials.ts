/** Where the tokens of a Cloud Storage backend come from, for each way that can be configured. */
import { IssuerError } from "../identity/issuer_error.ts";
import { JudgedCredential } from "../identity/judged_credential.ts";
import {
  type AuthProvider,
  type Issued,
  type RenewalDeps,
  RenewedCredential,
} from "../identity/renewed_credential.ts";
import type { GcsAuth } from "../settings.ts";
import { federatedToken } from "./federated_token.ts";
import { type KeyFile, parseKeyFile, type UserKey } from "./key_file.ts";
import { metadataToken } from "./metadata_token.ts";
import { grantedToken } from "./oauth_token.ts";
import { serviceAccountToken } from "./service_account.ts";
import type { Clock } from "../../platform/clock.ts";

/** Reading and writing objects, and no more; the roles of the identity decide which of it. */
const SCOPE = "https://www.googleapis.com/auth/devstorage.read_write";

/** The token for `auth`, kept fresh; null where requests are anonymous. Asks nobody yet. */
export function tokenFor(auth: GcsAuth, deps: RenewalDeps): JudgedCredential<string> | null {
  const { clock } = deps;
  const kept = (
    provider: AuthProvider,
    issue: (signal: AbortSignal) => Promise<Issued<string>>,
    hint: string,
  ) => {
    const words = { what: "Google access token", hint };
    return new JudgedCredential(new RenewedCredential(provider, issue, deps), words);
  };
  switch (auth.method) {
    case "none":
      deps.onRenewal("success", "none");
      return null;
    case "service_account": {
      const issue = async (signal: AbortSignal) => {
        const key = await readKeyFile(auth.keyFile);
        if (key.type === "service_account") {
          return await serviceAccountToken(key, SCOPE, clock, signal);
        }
        throw new IssuerError(`the file "${auth.keyFile}" is not of a service account`, null);
      };
      const hint = `Check the key in "${auth.keyFile}", and that its account is enabled`;
      return kept("gcp", issue, hint);
    }
    case "default": {
      const issue = (signal: AbortSignal) => defaultToken(auth, clock, signal);
      return kept("gcp", issue, DEFAULT_HINT);
    }
    case "gcp_wif": {
      const issue = (signal: AbortSignal) => federatedToken(auth, SCOPE, clock, signal);
      const hint = "Check audience and service_account in auth of the backend, and the pool's " +
        "conditions on the token";
      return kept("gcp_wif", issue, hint);
    }
  }
}

const DEFAULT_HINT = "Give the machine a service account, or name a file of credentials in " +
  "GOOGLE_APPLICATION_CREDENTIALS, or set another auth of the backend";

/** A token for the application default credentials: https://google.aip.dev/auth/4110 */
async function defaultToken(
  { keyFile, wellKnownFile, metadataHost }: Extract<GcsAuth, { method: "default" }>,
  clock: Clock,
  signal: AbortSignal,
): Promise<Issued<string>> {
  const key = keyFile === null ? await readIfThere(wellKnownFile) : await readKeyFile(keyFile);
  switch (key?.type) {
    case undefined:
      return await metadataToken(metadataHost, clock, signal);
    case "service_account":
      return await serviceAccountToken(key, SCOPE, clock, signal);
    case "authorized_user":
      return await userToken(key, clock, signal);
    case "other": {
      const { fileToken } = await import("./library_token.ts");
      return await fileToken(key, SCOPE, clock, signal);
    }
  }
}

/** A token for what `gcloud auth application-default login` left behind. */
function userToken(key: UserKey, clock: Clock, signal: AbortSignal): Promise<Issued<string>> {
  const grant = {
    grant_type: "refresh_token",
    client_id: key.clientId,
    client_secret: key.clientSecret.reveal(),
    refresh_token: key.refreshToken.reveal(),
  };
  return grantedToken(key.tokenUri, grant, clock, signal);
}

/** Read for each token: whoever replaces a key need not start the mount again. */
async function readKeyFile(path: string): Promise<KeyFile> {
  const key = await readIfThere(path);
  if (key === null) throw new IssuerError(`the file "${path}" does not exist`, null);
  return key;
}

async function readIfThere(path: string | null): Promise<KeyFile | null> {
  if (path === null) return null;
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    const reason = error instanceof Error ? error.message : String(error);
    throw new IssuerError(`the file "${path}" cannot be read: ${reason}`, null);
  }
  return parseKeyFile(path, text);
}
