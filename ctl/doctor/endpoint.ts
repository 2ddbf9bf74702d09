/** Where backends send their requests: what the checks of the network start from. */
import type { ClientSettings } from "../../cache/backend/http_client.ts";
import type { BackendSettings, S3Auth, Source } from "../../cache/backend/settings.ts";

/** The service that `source` talks to; null where it is no service. */
export function endpointOf(source: Source): URL | null {
  switch (source.type) {
    case "local":
      return null;
    case "azureblob":
    case "s3":
    case "gcs":
      return new URL(source.endpoint);
  }
}

/** Whether `source` asks this machine's cloud for its identity. */
export function usesIdentityService(source: Source): boolean {
  switch (source.type) {
    case "local":
      return false;
    case "azureblob":
      return source.auth.method === "managed_identity";
    case "s3":
      return isOfMachine(source.auth);
    case "gcs":
      return source.auth.method === "default" ||
        (source.auth.method === "gcp_wif" && source.auth.subject.kind === "managed_identity");
  }
}

function isOfMachine(auth: S3Auth): boolean {
  switch (auth.method) {
    case "default":
      // The chain asks it last, if at all.
      return true;
    case "web_identity":
    case "oidc_federation": {
      const { subject } = auth.role;
      return subject.kind === "entra" && subject.identity.method === "managed_identity";
    }
    case "static_keyvault":
      return auth.secret.identity.method === "managed_identity";
    case "static":
    case "profile":
    case "none":
      return false;
  }
}

/** A service, and what the first backend that talks to it says of the way there. */
export interface Endpoint {
  readonly url: URL;
  readonly client: ClientSettings;
}

/** The services of `backends`, each once however many backends share it. */
export function distinctEndpoints(backends: readonly BackendSettings[]): readonly Endpoint[] {
  const endpoints = new Map<string, Endpoint>();
  for (const { source } of backends) {
    const url = endpointOf(source);
    if (url === null || endpoints.has(url.origin)) continue;
    endpoints.set(url.origin, { url, client: clientOf(source) });
  }
  return [...endpoints.values()];
}

function clientOf(source: Source): ClientSettings {
  switch (source.type) {
    case "local":
    case "azureblob":
      return { caCertificates: null, proxy: null };
    case "s3":
    case "gcs":
      return source;
  }
}
