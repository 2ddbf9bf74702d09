/** Configuration of one backend, resolved: defaults applied, secrets read, nothing optional. */
import type { Secret } from "../platform/secret.ts";

/** How requests to Azure Blob Storage are authorised. */
export type AzureAuth =
  | { readonly method: "managed_identity"; readonly clientId: string | null }
  | {
    readonly method: "service_principal";
    readonly tenantId: string;
    readonly clientId: string;
    readonly clientSecret: Secret;
    readonly authorityHost: string | null;
  }
  | {
    readonly method: "workload_identity";
    readonly tenantId: string;
    readonly clientId: string;
    readonly tokenFile: string;
    readonly authorityHost: string | null;
  }
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
  /** The first of the sources that the AWS tools look at, too. */
  | { readonly method: "default" }
  | { readonly method: "profile"; readonly profile: string }
  | {
    readonly method: "web_identity";
    readonly roleArn: string;
    readonly tokenFile: string;
    readonly sessionName: string;
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
