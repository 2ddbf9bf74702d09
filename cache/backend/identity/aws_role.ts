/** Roles of AWS that are assumed with a token of another issuer (AssumeRoleWithWebIdentity). */
import type { AwsCredentialIdentity } from "@smithy/types";
import { awsIssuerError } from "./aws_chain.ts";
import type { EntraAuth } from "./entra_auth.ts";
import { entraToken } from "./entra_token.ts";
import { readStored } from "./stored_credential.ts";
import { type Issued, type RenewalDeps, RenewedCredential } from "./renewed_credential.ts";

/** How long the credentials of a role are asked for. */
const SESSION_SECONDS = 3_600;

/** A role, and who wants it. */
export interface FederatedRole {
  readonly roleArn: string;
  /** What the session is called in the logs of AWS. */
  readonly sessionName: string;
  readonly subject: RoleSubject;
  /** Where roles are given out, a URL; null: the service of the region. */
  readonly stsEndpoint: string | null;
}

/** Who vouches for this machine to AWS. */
export type RoleSubject =
  /** A JWT in a file, which its issuer renews. */
  | { readonly kind: "file"; readonly tokenFile: string }
  /** A token that Entra gives `identity` for the application `audience`. */
  | { readonly kind: "entra"; readonly identity: EntraAuth; readonly audience: string };

/** Credentials of `role`, kept fresh. */
export function roleCredential(
  role: FederatedRole,
  region: string,
  deps: RenewalDeps,
): RenewedCredential<AwsCredentialIdentity> {
  const { subject } = role;
  if (subject.kind === "file") {
    const { tokenFile } = subject;
    const issue = async () => await assume(role, region, await readStored(tokenFile));
    return new RenewedCredential("aws_sts", issue, deps);
  }
  const token = entraToken(subject.identity, `${subject.audience}/.default`, deps);
  const issue = async (signal: AbortSignal) => {
    const first = await token.get(signal);
    try {
      return await assume(role, region, first);
    } catch (error) {
      const refused = error instanceof Error && TOKEN_REFUSED.test(error.message);
      const another = refused ? await token.another(first, signal) : null;
      if (another === null) throw error;
      return await assume(role, region, another);
    }
  };
  return new RenewedCredential("aws_sts", issue, deps, token);
}

/** What to look at when there are no credentials of `role`. */
export function roleHint({ roleArn, subject }: FederatedRole): string {
  const trust = `Check that the trust policy of "${roleArn}" names the issuer, the audience and ` +
    "the subject of the token";
  return subject.kind === "file"
    ? `${trust} in "${subject.tokenFile}"`
    : `${trust} for "${subject.audience}"`;
}

/** Codes of STS for a token that another one may replace. */
const TOKEN_REFUSED = /ExpiredToken|InvalidIdentityToken|token is expired/i;

async function assume(
  { roleArn, sessionName, stsEndpoint }: FederatedRole,
  region: string,
  token: string,
): Promise<Issued<AwsCredentialIdentity>> {
  // Loaded only here: keys need none of it.
  const { fromWebToken } = await import("@aws-sdk/credential-providers");
  const endpoint = stsEndpoint === null ? {} : { endpoint: stsEndpoint };
  try {
    const value = await fromWebToken({
      roleArn,
      webIdentityToken: token,
      roleSessionName: sessionName,
      durationSeconds: SESSION_SECONDS,
      // Renewals are repeated by their owner, who knows how long the old credentials last.
      clientConfig: { region, maxAttempts: 1, ...endpoint },
    })();
    return { value, expiresMs: value.expiration?.getTime() ?? Infinity };
  } catch (error) {
    throw awsIssuerError(error);
  }
}
