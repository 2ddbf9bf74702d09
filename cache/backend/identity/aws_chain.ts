/** Credentials where the AWS tools find them: environment, profiles, the roles of a machine. */
import type { AwsCredentialIdentity, AwsCredentialIdentityProvider } from "@smithy/types";
import { IssuerError, isUnreached } from "./issuer_error.ts";
import { type RenewalDeps, RenewedCredential } from "./renewed_credential.ts";
import { StoreFault } from "../store_fault.ts";
import { describeError } from "../../platform/log.ts";

/** How long keys that were replaced in a profile go on being used, while they are accepted. */
const LOOK_AGAIN_MS = 10 * 60_000;

/** Where to look. */
export type AwsChain =
  /** The first of the sources that the AWS tools look at, too. */
  | { readonly method: "default" }
  | { readonly method: "profile"; readonly profile: string };

/** Credentials of `chain`, kept fresh. */
export function chainCredential(
  chain: AwsChain,
  region: string,
  deps: RenewalDeps,
): RenewedCredential<AwsCredentialIdentity> {
  return new RenewedCredential("aws", async () => {
    try {
      const value = await (await providerOf(chain, region))();
      const expiresMs = value.expiration?.getTime();
      return expiresMs === undefined
        ? { value, expiresMs: Infinity, renewAfterMs: LOOK_AGAIN_MS }
        : { value, expiresMs };
    } catch (error) {
      throw awsIssuerError(error);
    }
  }, deps);
}

/** What to look at when there are none. */
export function chainHint(chain: AwsChain): string {
  return chain.method === "default"
    ? "Give the machine a role or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, " +
      "or set another auth of the backend"
    : "Check auth.profile of the backend, and the files in ~/.aws of the mounting user";
}

/** A new provider each time: the SDK's keep what they found. */
async function providerOf(
  chain: AwsChain,
  region: string,
): Promise<AwsCredentialIdentityProvider> {
  // Loaded only here: keys need none of it.
  const providers = await import("@aws-sdk/credential-providers");
  // Renewals are repeated by their owner, who knows how long the old credentials last.
  const shared = {
    clientConfig: { region, maxAttempts: 1 },
    maxRetries: 0,
    ignoreCache: true,
  };
  return chain.method === "default"
    ? providers.fromNodeProviderChain(shared)
    : providers.fromIni({ ...shared, profile: chain.profile });
}

/** `error` of the SDK, with the status behind it. */
export function awsIssuerError(error: unknown): IssuerError {
  const code = error instanceof Error && !GENERIC.has(error.name) ? `${error.name}: ` : "";
  const said = code + describeError(error);
  const cause = isUnreached(error) || UNTRUSTED.test(said)
    ? new StoreFault("unavailable", said, UNREACHED_HINT, { cause: error })
    : error;
  return new IssuerError(said, statusBehind(error), { cause });
}

/** The SDK knows nothing of the proxies that all others are asked by way of. */
const UNREACHED_HINT = "Check the network to the issuer: the AWS SDK goes there without a proxy, " +
  "and trusts the certificates that DENO_CERT names";
/** What Deno says of a certificate, in the second case nothing but that. */
const UNTRUSTED = /certificate|Http: connection error/;

/** Names that say nothing. */
const GENERIC: ReadonlySet<string> = new Set(["Error", "CredentialsProviderError"]);

/** The status of the answer behind `error`, which the SDK keeps in different places. */
function statusBehind(error: unknown): number | null {
  if (!(error instanceof Error)) return null;
  const metadata = "$metadata" in error ? error.$metadata : null;
  if (typeof metadata === "object" && metadata !== null && "httpStatusCode" in metadata) {
    const { httpStatusCode: status } = metadata;
    if (typeof status === "number") return status;
  }
  if ("statusCode" in error && typeof error.statusCode === "number") return error.statusCode;
  return statusBehind(error.cause);
}
