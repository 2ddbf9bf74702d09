/** Where backends send their requests: what the checks of the network start from. */
import type { ClientSettings } from "../../cache/backend/http_client.ts";
import type { S3Auth, Source } from "../../cache/backend/settings.ts";

/** A service, and what a backend says of the way there. */
export interface Endpoint {
  readonly url: URL;
  readonly client: ClientSettings;
}

/** The service that `source` talks to; null where it is no service. */
export function endpointOf(source: Source): Endpoint | null {
  switch (source.type) {
    case "local":
      return null;
    case "azureblob":
      return { url: new URL(source.endpoint), client: { caCertificates: null, proxy: null } };
    case "s3":
    case "gcs": {
      const { endpoint, caCertificates, proxy } = source;
      return { url: new URL(endpoint), client: { caCertificates, proxy } };
    }
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
