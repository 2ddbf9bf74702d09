/** Configuration of one backend, resolved: defaults applied, secrets read, nothing optional. */
import type { AwsChain } from "./identity/aws_chain.ts";
import type { FederatedRole } from "./identity/aws_role.ts";
import type { EntraAuth } from "./identity/entra_auth.ts";
import type { VaultSecret } from "./identity/key_vault.ts";
import type { Secret } from "../platform/secret.ts";

/** How requests to Azure Blob Storage are authorised. */
export type AzureAuth =
  | EntraAuth
  | { readonly method: "account_key"; readonly accountKey: Secret }
  | { readonly method: "sas"; readonly sasToken: Secret }
  | { readonly method: "none" };

/** How requests to S3, and to stores that are compatible with it, are authorised. */
export type S3Auth =
  | {
    readonly method: "static";
    readonly accessKeyId: Secret;
    readonly secretAccessKey: Secret;
    readonly sessionToken: Secret | null;
  }
  | AwsChain
  /** A role, for the token of a pod or of another issuer. */
  | { readonly method: "web_identity" | "oidc_federation"; readonly role: FederatedRole }
  | { readonly method: "static_keyvault"; readonly secret: VaultSecret }
  | { readonly method: "none" };

/** Who vouches to Google for this machine: a token of another issuer, for workload identity. */
export type GcpSubject =
  /** A JWT in a file, which its issuer renews. */
  | { readonly kind: "file"; readonly tokenFile: string }
  /** A token that Entra gives this machine for the application `resource`. */
  | {
    readonly kind: "managed_identity";
    readonly resource: string;
    readonly clientId: string | null;
  };

/** How requests to Cloud Storage are authorised. */
export type GcsAuth =
  /** Application default credentials: the first file that is there, then the metadata server. */
  | {
    readonly method: "default";
    /** Named by the environment, so it has to be there; null: none is named. */
    readonly keyFile: string | null;
    /** Where the tools of Google write it; null: this user has no home. */
    readonly wellKnownFile: string | null;
    /** The metadata server, `HOST` or `HOST:PORT`. */
    readonly metadataHost: string;
  }
  | { readonly method: "service_account"; readonly keyFile: string }
  | {
    readonly method: "gcp_wif";
    /** The provider of the pool, `//iam.googleapis.com/projects/…/providers/NAME`. */
    readonly audience: string;
    /** The account to act as; null: as the identity of the pool itself. */
    readonly serviceAccount: string | null;
    readonly subject: GcpSubject;
    /** Where tokens are exchanged, a URL. */
    readonly stsUrl: string;
    /** The service that gives out tokens of service accounts, a URL without path. */
    readonly iamEndpoint: string;
  }
  | { readonly method: "none" };

/** Where the objects are, by provider. */
export type Source =
  | { readonly type: "local"; readonly root: string }
  | {
    readonly type: "azureblob";
    readonly account: string;
    readonly container: string;
    /** Keys below this prefix are the backend; without leading or trailing slash, may be `""`. */
    readonly prefix: string;
    /** Blob service URL of the account, e.g. `https://ACCOUNT.blob.core.windows.net`. */
    readonly endpoint: string;
    /** Keys asked for per listing page. */
    readonly listPageSize: number;
    readonly auth: AzureAuth;
  }
  | {
    readonly type: "s3";
    readonly bucket: string;
    /** Keys below this prefix are the backend; without leading or trailing slash, may be `""`. */
    readonly prefix: string;
    /** URL of the service, without the bucket: `https://s3.REGION.amazonaws.com`. */
    readonly endpoint: string;
    readonly region: string;
    /** Whether the bucket is named by the path of URLs, or else by their host. */
    readonly pathStyle: boolean;
    readonly requesterPays: boolean;
    /** Certificates to trust besides those of the system, in PEM; null: none. */
    readonly caCertificates: string | null;
    /** URL of the proxy to use; null: what the environment says. */
    readonly proxy: string | null;
    /** Keys asked for per listing page. */
    readonly listPageSize: number;
    readonly auth: S3Auth;
  }
  | {
    readonly type: "gcs";
    readonly bucket: string;
    /** Keys below this prefix are the backend; without leading or trailing slash, may be `""`. */
    readonly prefix: string;
    /** URL of the service: `https://storage.googleapis.com`. */
    readonly endpoint: string;
    /** The project that pays for requests to a bucket whose owner does not; null: the owner's. */
    readonly userProject: string | null;
    /** Certificates to trust besides those of the system, in PEM; null: none. */
    readonly caCertificates: string | null;
    /** URL of the proxy to use; null: what the environment says. */
    readonly proxy: string | null;
    /** Names asked for per listing page. */
    readonly listPageSize: number;
    readonly auth: GcsAuth;
  };

/** One entry of `backends:`. */
export interface BackendSettings {
  readonly name: string;
  /**
   * Where it appears below the mount point, without leading or trailing slash. `""`, the mount
   * point itself, only where the whole mount is one backend named by a URL.
   */
  readonly mountPath: string;
  /** Longest wait without progress before an operation fails with `timeout`. */
  readonly timeoutMs: number;
  /** Requests to the store at once. */
  readonly requestsMax: number;
  readonly source: Source;
}
