/** Where the credentials of an S3 backend come from, for each way that can be configured. */
import type { AwsCredentialIdentity, AwsCredentialIdentityProvider } from "@smithy/types";
import {
  type AuthProvider,
  type RenewalDeps,
  RenewedCredential,
} from "../identity/renewed_credential.ts";
import type { S3Auth } from "../settings.ts";
import { StoreFault } from "../store_fault.ts";
import { describeError } from "../../platform/log.ts";

/** Credentials for `auth`, kept fresh; null where requests are not signed. Asks nobody yet. */
export async function credentialOf(
  auth: S3Auth,
  region: string,
  deps: RenewalDeps,
): Promise<RenewedCredential<AwsCredentialIdentity> | null> {
  switch (auth.method) {
    case "none":
      return null;
    case "static": {
      const { accessKeyId, secretAccessKey, sessionToken } = auth;
      const value: AwsCredentialIdentity = {
        accessKeyId: accessKeyId.reveal(),
        secretAccessKey: secretAccessKey.reveal(),
        ...(sessionToken === null ? {} : { sessionToken: sessionToken.reveal() }),
      };
      const issue = () => Promise.resolve({ value, expiresMs: Infinity });
      return new RenewedCredential("static", issue, deps);
    }
    default: {
      const provider = await providerOf(auth, region);
      const issue = async () => {
        try {
          const value = await provider();
          return { value, expiresMs: value.expiration?.getTime() ?? Infinity };
        } catch (error) {
          throw credentialFailure(error, credential.obtained, HINTS[auth.method]);
        }
      };
      const credential = new RenewedCredential(providerLabel(auth), issue, deps);
      return credential;
    }
  }
}

function providerLabel({ method }: ProvidedAuth): AuthProvider {
  return method === "web_identity" ? "aws_sts" : "aws";
}

type ProvidedAuth = Exclude<S3Auth, { method: "none" | "static" }>;

async function providerOf(
  auth: ProvidedAuth,
  region: string,
): Promise<AwsCredentialIdentityProvider> {
  // Loaded only here: keys need none of it.
  const providers = await import("@aws-sdk/credential-providers");
  const clientConfig = { region };
  switch (auth.method) {
    case "default":
      return providers.fromNodeProviderChain({ clientConfig });
    case "profile":
      return providers.fromIni({ profile: auth.profile, clientConfig });
    case "web_identity":
      return providers.fromTokenFile({
        roleArn: auth.roleArn,
        webIdentityTokenFile: auth.tokenFile,
        roleSessionName: auth.sessionName,
        clientConfig,
      });
  }
}

const HINTS: Readonly<Record<ProvidedAuth["method"], string>> = {
  default: "Give the machine a role or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, " +
    "or set another auth of the backend",
  profile: "Check auth.profile of the backend, and the files in ~/.aws of the mounting user",
  web_identity: "Check role_arn and token_file in auth of the backend, and the trust of the role",
};

/** Names of errors for a service of AWS that was not reached. */
const UNREACHED = /^(TimeoutError|ECONN\w*|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH)$/;

/**
 * The fault behind `error`, with which a request for credentials failed: an outage where the
 * issuer gave no answer, or has given some before; else a mistake in the settings.
 */
export function credentialFailure(
  error: unknown,
  obtainedBefore: boolean,
  hint: string,
): StoreFault {
  const said = describeError(error).split("\n")[0]?.trim() ?? "";
  const passing = obtainedBefore || causesOf(error).some((cause) => {
    const status = statusOf(cause);
    return UNREACHED.test(nameOf(cause)) || status === 429 || (status !== null && status >= 500);
  });
  const options = { cause: error };
  return new StoreFault(
    passing ? "unavailable" : "denied",
    `no AWS credentials (${said})`,
    hint,
    options,
  );
}

function causesOf(error: unknown): readonly Error[] {
  return error instanceof Error ? [error, ...causesOf(error.cause)] : [];
}

/** The code of a system's error, else its name. */
function nameOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}

/** The status of an answer that the SDK took for an error; null where there was none. */
function statusOf(error: Error): number | null {
  if (!("$metadata" in error)) return null;
  const { $metadata: metadata } = error;
  if (typeof metadata !== "object" || metadata === null) return null;
  if (!("httpStatusCode" in metadata)) return null;
  return typeof metadata.httpStatusCode === "number" ? metadata.httpStatusCode : null;
}
