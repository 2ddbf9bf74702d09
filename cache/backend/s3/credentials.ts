/** Where the credentials of an S3 backend come from, for each way that can be configured. */
import type { AwsCredentialIdentity } from "@smithy/types";
import { chainCredential, chainHint } from "../identity/aws_chain.ts";
import { roleCredential, roleHint } from "../identity/aws_role.ts";
import { JudgedCredential } from "../identity/judged_credential.ts";
import { vaultCredential, vaultHint } from "../identity/key_vault.ts";
import type { RenewalDeps } from "../identity/renewed_credential.ts";
import { storedCredential } from "../identity/stored_credential.ts";
import type { S3Auth } from "../settings.ts";
import type { Secret } from "../../platform/secret.ts";

const WHAT = "AWS credentials";

/** Credentials for `auth`, kept fresh; null where requests are not signed. Asks nobody yet. */
export function credentialOf(
  auth: S3Auth,
  region: string,
  deps: RenewalDeps,
): JudgedCredential<AwsCredentialIdentity> | null {
  switch (auth.method) {
    case "none":
      deps.onRenewal("success", "none");
      return null;
    case "static": {
      const { accessKeyId, secretAccessKey, sessionToken } = auth;
      const secrets = [
        accessKeyId,
        secretAccessKey,
        ...(sessionToken === null ? [] : [sessionToken]),
      ];
      const hint = "Check the secrets that auth of the backend names";
      return new JudgedCredential(storedCredential(secrets, storedKeys, deps), {
        what: WHAT,
        hint,
      });
    }
    case "default":
    case "profile": {
      const credential = chainCredential(auth, region, deps);
      return new JudgedCredential(credential, { what: WHAT, hint: chainHint(auth) });
    }
    case "web_identity":
    case "oidc_federation": {
      const credential = roleCredential(auth.role, region, deps);
      return new JudgedCredential(credential, { what: WHAT, hint: roleHint(auth.role) });
    }
    case "static_keyvault": {
      const credential = vaultCredential(auth.secret, deps);
      return new JudgedCredential(credential, { what: "keys", hint: vaultHint(auth.secret) });
    }
  }
}

function storedKeys([id, key, token]: readonly Secret[]) {
  const value: AwsCredentialIdentity = {
    accessKeyId: id?.reveal() ?? "",
    secretAccessKey: key?.reveal() ?? "",
    ...(token === undefined ? {} : { sessionToken: token.reveal() }),
  };
  return { value, expiresMs: Infinity };
}
