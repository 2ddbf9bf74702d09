/**
 * Tokens that the library of Google obtains. Loaded, with the library, at the first one: that takes
 * a tenth of a second which nobody else need pay. (In the bundle, `import()` of the library itself
 * gives none of its names, as it is CommonJS.) Its clients are made anew for each token, because
 * they keep what they have until five minutes before its end, and would give out again what was
 * refused.
 */
import { Compute, GoogleAuth, IdentityPoolClient, UserRefreshClient } from "google-auth-library";
import { z } from "zod";
import { abortable, AbortScope } from "../abort_scope.ts";
import { issueEntraToken } from "../identity/entra_token.ts";
import { IssuerError } from "../identity/issuer_error.ts";
import type { Issued } from "../identity/renewed_credential.ts";
import { readStored } from "../identity/stored_credential.ts";
import type { GcpSubject, GcsAuth } from "../settings.ts";
import { libraryFailure } from "./issuer_answer.ts";
import type { KeyFile, UserKey } from "./key_file.ts";
import type { Clock } from "../../platform/clock.ts";

/** A client of the library. */
interface TokenClient {
  getAccessToken(): Promise<{ readonly token?: string | null }>;
  readonly credentials: { readonly expiry_date?: number | null };
}

/** How long a token of which nobody says when it ends is used: far less than any lasts. */
const UNKNOWN_LIFE_MS = 300_000;
/** The metadata server is on this machine, or there is none. */
const METADATA_MS_MAX = 5_000;

/** The token of this machine, or of its pod, from the metadata server. */
export async function metadataToken(clock: Clock, signal: AbortSignal): Promise<Issued<string>> {
  using scope = new AbortScope(signal);
  const silence = clock.sleep(METADATA_MS_MAX, scope.signal).then(
    () => scope.abort(new IssuerError("TimeoutError: no metadata server answers", null)),
    () => {},
  );
  try {
    // Without scopes: it gives the token those that the machine has.
    return await abortable(tokenOf(new Compute(), clock), scope.signal);
  } finally {
    scope.abort(new Error("The request is over"));
    await silence;
  }
}

/** A token for what `gcloud auth application-default login` left behind. */
export async function userToken(
  key: UserKey,
  clock: Clock,
  signal: AbortSignal,
): Promise<Issued<string>> {
  const client = new UserRefreshClient({
    clientId: key.clientId,
    clientSecret: key.clientSecret.reveal(),
    refreshToken: key.refreshToken.reveal(),
    endpoints: { oauth2TokenUrl: key.tokenUri },
    transporterOptions: { signal },
  });
  return await tokenOf(client, clock);
}

const CREDENTIALS = z.looseObject({ type: z.string() });

/** A token for any other file of credentials: federation, impersonation. */
export async function fileToken(
  key: Extract<KeyFile, { type: "other" }>,
  scope: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<Issued<string>> {
  const json = CREDENTIALS.parse(JSON.parse(key.text.reveal()));
  return await tokenFrom(
    () => new GoogleAuth({ scopes: scope }).fromJSON(json, { transporterOptions: { signal } }),
    clock,
  );
}

/** A token for the identity that a pool of identities knows this machine by. */
export async function federatedToken(
  auth: Extract<GcsAuth, { method: "gcp_wif" }>,
  scope: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<Issued<string>> {
  const { audience, serviceAccount, subject, stsUrl, iamEndpoint } = auth;
  const account = serviceAccount === null ? null : encodeURIComponent(serviceAccount);
  return await tokenFrom(
    () =>
      new IdentityPoolClient({
        type: "external_account",
        audience,
        subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
        token_url: stsUrl,
        subject_token_supplier: { getSubjectToken: () => subjectToken(subject, signal, clock) },
        scopes: [scope],
        transporterOptions: { signal },
        ...(account === null ? {} : {
          service_account_impersonation_url:
            `${iamEndpoint}/v1/projects/-/serviceAccounts/${account}:generateAccessToken`,
        }),
      }),
    clock,
  );
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

/** What the client that `make` makes obtains; it may refuse its settings. */
async function tokenFrom(make: () => TokenClient, clock: Clock): Promise<Issued<string>> {
  let client: TokenClient;
  try {
    client = make();
  } catch (error) {
    throw libraryFailure(error);
  }
  return await tokenOf(client, clock);
}

async function tokenOf(client: TokenClient, clock: Clock): Promise<Issued<string>> {
  try {
    const { token } = await client.getAccessToken();
    if (!token) throw new IssuerError("the issuer gave out no token", null);
    const expiresMs = client.credentials.expiry_date ?? clock.wallMs() + UNKNOWN_LIFE_MS;
    return { value: token, expiresMs };
  } catch (error) {
    throw libraryFailure(error);
  }
}
