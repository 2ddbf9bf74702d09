/** Where backends send their requests: what the checks of the network start from. */
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

/** The services of `backends`, each once however many backends share it. */
export function distinctEndpoints(backends: readonly BackendSettings[]): readonly URL[] {
  const urls = backends.flatMap(({ source }) => endpointOf(source) ?? []);
  return [...new Map(urls.map((url) => [url.origin, url])).values()];
}
