/** How requests to Azure Blob Storage are authorised, for each way that can be configured. */
import { Buffer } from "node:buffer";
import { createEmptyPipeline, type Pipeline } from "@azure/core-rest-pipeline";
import type { TokenCredential } from "@azure/identity";
import { AnonymousCredential, StorageSharedKeyCredential } from "@azure/storage-blob";
import { storageSharedKeyCredentialPolicy } from "@azure/storage-common";
import { entraToken } from "../identity/entra_token.ts";
import type { RenewalDeps, RenewedCredential } from "../identity/renewed_credential.ts";
import type { AzureAuth } from "../settings.ts";
import type { Secret } from "../../platform/secret.ts";

/** Tokens for this scope are good for the blobs of every account. */
const STORAGE_SCOPE = "https://storage.azure.com/.default";

/**
 * What a request carries. A `shared_key` signs the request as it is sent, so the SDK does it; the
 * others are the same for every request and added by the transport.
 */
export type AzureAuthorization =
  | { readonly kind: "shared_key"; readonly account: string; readonly key: Secret }
  | { readonly kind: "sas"; readonly query: Secret }
  | { readonly kind: "bearer"; readonly token: RenewedCredential<string>; readonly hint: string }
  | { readonly kind: "anonymous" };

/** Prepares `auth` for `account`, without asking anybody for anything yet. */
export async function authorization(
  auth: AzureAuth,
  account: string,
  deps: RenewalDeps,
): Promise<AzureAuthorization> {
  switch (auth.method) {
    case "none":
      return { kind: "anonymous" };
    case "account_key":
      return { kind: "shared_key", account, key: auth.accountKey };
    case "sas":
      return { kind: "sas", query: auth.sasToken };
    default:
      return {
        kind: "bearer",
        token: entraToken(await entraCredential(auth), STORAGE_SCOPE, deps),
        hint: entraHint(auth),
      };
  }
}

/** What the clients of the SDK sign with: nothing, unless a key has to see each request. */
export function clientCredential(
  authorization: AzureAuthorization,
): StorageSharedKeyCredential | AnonymousCredential {
  return authorization.kind === "shared_key"
    ? new StorageSharedKeyCredential(authorization.account, authorization.key.reveal())
    : new AnonymousCredential();
}

/** Signs, as the SDK does, the requests that do not go through its clients. */
export function signingPipeline(authorization: AzureAuthorization): Pipeline {
  const pipeline = createEmptyPipeline();
  if (authorization.kind === "shared_key") {
    pipeline.addPolicy(storageSharedKeyCredentialPolicy({
      accountName: authorization.account,
      accountKey: Buffer.from(authorization.key.reveal(), "base64"),
    }));
  }
  return pipeline;
}

type EntraAuth = Extract<
  AzureAuth,
  { method: "managed_identity" | "service_principal" | "workload_identity" }
>;

async function entraCredential(auth: EntraAuth): Promise<TokenCredential> {
  // Loaded only here: keys and SAS need none of it.
  const identity = await import("@azure/identity");
  switch (auth.method) {
    case "managed_identity":
      return auth.clientId === null
        ? new identity.ManagedIdentityCredential()
        : new identity.ManagedIdentityCredential({ clientId: auth.clientId });
    case "service_principal":
      return new identity.ClientSecretCredential(
        auth.tenantId,
        auth.clientId,
        auth.clientSecret.reveal(),
        authorityOptions(auth.authorityHost),
      );
    case "workload_identity":
      return new identity.WorkloadIdentityCredential({
        tenantId: auth.tenantId,
        clientId: auth.clientId,
        tokenFilePath: auth.tokenFile,
        ...authorityOptions(auth.authorityHost),
      });
  }
}

/**
 * A configured authority is trusted as it is: otherwise the library asks the public cloud about
 * it, which private clouds and networks without a way out do not have.
 */
function authorityOptions(
  authorityHost: string | null,
): { authorityHost: string; disableInstanceDiscovery: boolean } | Record<never, never> {
  return authorityHost === null ? {} : { authorityHost, disableInstanceDiscovery: true };
}

function entraHint(auth: EntraAuth): string {
  switch (auth.method) {
    case "managed_identity":
      return auth.clientId === null
        ? "Run on an Azure machine with a managed identity, or set another auth of the backend"
        : `Check that identity "${auth.clientId}" is assigned to this machine`;
    case "service_principal":
      return `Check tenant, client id and secret of application "${auth.clientId}"`;
    case "workload_identity":
      return `Check tenant, client id and the token in "${auth.tokenFile}"`;
  }
}
