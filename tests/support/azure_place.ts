/** An Azurite with a fault proxy in front, and backends on it. */
import {
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  StorageSharedKeyCredential,
} from "@azure/storage-blob";
import { AzureBackend, type AzureSource } from "../../cache/backend/azure/backend.ts";
import type { AzureAuth } from "../../cache/backend/settings.ts";
import { systemClock } from "../../cache/platform/clock.ts";
import { Secret } from "../../cache/platform/secret.ts";
import { type Azurite, startAzurite } from "./azurite.ts";
import { FaultProxy } from "./fault_proxy.ts";

/** The container that is there. */
export const CONTAINER = "faults";

/** Both servers; disposing ends them. */
export interface AzureServers extends AsyncDisposable {
  readonly azurite: Azurite;
  readonly proxy: FaultProxy;
  /** Authorises everything. */
  readonly key: AzureAuth;
}

/** Starts both, with one empty container. */
export async function startAzureServers(): Promise<AzureServers> {
  const azurite = await startAzurite();
  await azurite.container(CONTAINER);
  const proxy = await FaultProxy.start(azurite.endpoint);
  return {
    azurite,
    proxy,
    key: { method: "account_key", accountKey: new Secret(azurite.key) },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await azurite[Symbol.asyncDispose]();
    },
  };
}

/** Where a backend is, and how it gets in. */
export interface AzurePlace {
  readonly endpoint: string;
  readonly container: string;
  readonly auth: AzureAuth;
}

/** The bare provider at `place`. */
export function openBare(place: AzurePlace, listPageSize = 100): AzureBackend {
  const deps = { clock: systemClock, random: () => 0, onRenewal: () => {} };
  const account = "devstoreaccount1";
  const source: AzureSource = { type: "azureblob", account, prefix: "", listPageSize, ...place };
  return AzureBackend.open("azure", source, deps);
}

/** A SAS of the container with `permissions`, such as `rl` for reading and listing. */
export function sas(azurite: Azurite, permissions: string): AzureAuth {
  return { method: "sas", sasToken: new Secret(sasOf(azurite, permissions)) };
}

/** The same as the query of a URL. */
export function sasOf(azurite: Azurite, permissions: string): string {
  return generateBlobSASQueryParameters(
    {
      containerName: CONTAINER,
      permissions: ContainerSASPermissions.parse(permissions),
      expiresOn: new Date(Date.now() + 3_600_000),
    },
    new StorageSharedKeyCredential(azurite.account, azurite.key),
  ).toString();
}
