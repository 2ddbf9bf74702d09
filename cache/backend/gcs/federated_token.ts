/**
 * Tokens for the identity that a pool of identities knows this machine by, and for the service
 * account that it may act as: https://cloud.google.com/iam/docs/workload-identity-federation
 */
import { z } from "zod";
import { issueEntraToken } from "../identity/entra_token.ts";
import { fetchIssuer } from "../identity/issuer_fetch.ts";
import type { Issued } from "../identity/renewed_credential.ts";
import { readStored } from "../identity/stored_credential.ts";
import type { GcpSubject, GcsAuth } from "../settings.ts";
import { answerOf, grantedToken } from "./oauth_token.ts";
import type { Clock } from "../../platform/clock.ts";

/** What a token is good for that only gets another one. */
const ANYTHING = "https://www.googleapis.com/auth/cloud-platform";

const TOKEN_OF_ACCOUNT = z.object({
  accessToken: z.string().min(1),
  expireTime: z.string().transform((text) => Date.parse(text)).pipe(z.number()),
});

/** Exchanges the token of another issuer for one that is good for `scope`. */
export async function federatedToken(
  auth: Extract<GcsAuth, { method: "gcp_wif" }>,
  scope: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<Issued<string>> {
  const { audience, serviceAccount, subject, stsUrl, iamEndpoint } = auth;
  const exchanged = await grantedToken(
    stsUrl,
    {
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      audience,
      scope: serviceAccount === null ? scope : ANYTHING,
      requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      subject_token: await subjectToken(subject, signal, clock),
    },
    clock,
    signal,
  );
  if (serviceAccount === null) return exchanged;
  const account = encodeURIComponent(serviceAccount);
  const url = `${iamEndpoint}/v1/projects/-/serviceAccounts/${account}:generateAccessToken`;
  const response = await fetchIssuer(
    url,
    {
      method: "POST",
      headers: { "authorization": `Bearer ${exchanged.value}`, "content-type": "application/json" },
      body: JSON.stringify({ scope: [scope] }),
      signal,
    },
    "elsewhere",
    clock,
  );
  const { accessToken: value, expireTime: expiresMs } = await answerOf(response, TOKEN_OF_ACCOUNT);
  return { value, expiresMs };
}

/** The token of another issuer that vouches for us. */
async function subjectToken(
  subject: GcpSubject,
  signal: AbortSignal,
  clock: Clock,
): Promise<string> {
  switch (subject.kind) {
    case "file":
      return await readStored(subject.tokenFile);
    case "managed_identity": {
      const { clientId, resource } = subject;
      const identity = { method: "managed_identity", clientId, resourceId: null } as const;
      return (await issueEntraToken(identity, `${resource}/.default`, signal, clock)).value;
    }
  }
}
