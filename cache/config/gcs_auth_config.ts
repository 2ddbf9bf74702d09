/** `auth:` of a `gcs` backend: which method, and where its proofs are. */
import type { z } from "zod";
import type { GcpSubject, GcsAuth } from "../backend/settings.ts";
import type { ConfigPath } from "../platform/config_problem.ts";
import type { ConfigReader } from "../platform/config_reader.ts";
import {
  absolutePath,
  choice,
  inlineSecret,
  matching,
  section,
  serviceUrl,
} from "../platform/setting.ts";
import { onlyKeys } from "./entra_auth_config.ts";
import { checkTokenUrl } from "./token_url_config.ts";

const METHODS = ["default", "service_account", "gcp_wif", "none"] as const;

const POOL = /^\/\/[\w.-]+\/(projects|locations)\/[\w/.-]+$/;
const ACCOUNT = /^[\w.-]+@[\w.-]+$/;

/** Where tokens are exchanged, and where service accounts have theirs from. */
const STS_URL = "https://sts.googleapis.com/v1/token";
const IAM_ENDPOINT = "https://iamcredentials.googleapis.com";

/** The address of the metadata server on every machine: a name may be asked of a wrong server. */
const METADATA_HOST = "169.254.169.254";

/** `auth:` of a `gcs` backend. */
export const GCS_AUTH = section({
  method: choice(METHODS),
  key_file: absolutePath().optional(),
  audience: matching(
    POOL,
    'a provider such as "//iam.googleapis.com/projects/1/locations/global/' +
      'workloadIdentityPools/POOL/providers/NAME"',
  ).optional(),
  token_file: absolutePath().optional(),
  entra_resource: matching(/^[\w.:/-]{1,256}$/, 'an application such as "api://NAME"').optional(),
  client_id: matching(/^[\w.-]{1,128}$/, "a client ID").optional(),
  service_account: matching(ACCOUNT, 'an account such as "NAME@PROJECT.iam.gserviceaccount.com"')
    .optional(),
  sts_url: serviceUrl(STS_URL).optional(),
  iam_endpoint: serviceUrl(IAM_ENDPOINT).optional(),
  key: inlineSecret("key_file"),
  private_key: inlineSecret("key_file"),
});

type Written = z.output<typeof GCS_AUTH>;
type AuthKey = keyof Written & string;

/** Keys each method reads; any other would be a setting that silently does nothing. */
const KEYS_OF_METHOD: Readonly<Record<Written["method"], readonly AuthKey[]>> = {
  default: [],
  service_account: ["key_file"],
  gcp_wif: [
    "audience",
    "token_file",
    "entra_resource",
    "client_id",
    "service_account",
    "sts_url",
    "iam_endpoint",
  ],
  none: [],
};

/** Reads `auth:` of the backend at `backendPath`; null when it has problems, then reported. */
export function readGcsAuth(reader: ConfigReader, backendPath: ConfigPath): GcsAuth | null {
  const path = [...backendPath, "auth"];
  // No `auth` means what Google's own tools do without one, which needs no secret in the file.
  if (!reader.has(path)) return defaultAuth(reader);
  const written = reader.read(GCS_AUTH, path);
  if (written === null) return null;
  const { method } = written;
  if (!onlyKeys(reader, path, written, ["method", ...KEYS_OF_METHOD[method]], method)) return null;
  switch (method) {
    case "default":
      return defaultAuth(reader);
    case "none":
      return { method: "none" };
    case "service_account": {
      const { key_file: keyFile } = written;
      if (keyFile !== undefined) return { method: "service_account", keyFile };
      reader.report([...path, "key_file"], "wanted the key of the account, or method default");
      return null;
    }
    case "gcp_wif":
      return readFederation(reader, path, written);
  }
}

/** Where application default credentials may be: https://google.aip.dev/auth/4110 */
function defaultAuth({ inputs: { env } }: ConfigReader): GcsAuth {
  const home = env.get("HOME");
  const directory = env.get("CLOUDSDK_CONFIG") || (home ? `${home}/.config/gcloud` : null);
  const name = "application_default_credentials.json";
  return {
    method: "default",
    keyFile: env.get("GOOGLE_APPLICATION_CREDENTIALS") || null,
    wellKnownFile: directory === null ? null : `${directory}/${name}`,
    metadataHost: env.get("GCE_METADATA_IP") || env.get("GCE_METADATA_HOST") || METADATA_HOST,
  };
}

function readFederation(reader: ConfigReader, path: ConfigPath, written: Written): GcsAuth | null {
  const { audience, sts_url: stsUrl = STS_URL, iam_endpoint: iamEndpoint = IAM_ENDPOINT } = written;
  if (audience === undefined) {
    reader.report([...path, "audience"], "wanted the provider of the pool");
  }
  const subject = readSubject(reader, path, written);
  const exchanges = checkTokenUrl(reader, [...path, "sts_url"], stsUrl);
  const gives = checkTokenUrl(reader, [...path, "iam_endpoint"], iamEndpoint);
  if (audience === undefined || subject === null || !exchanges || !gives) return null;
  const serviceAccount = written.service_account ?? null;
  return { method: "gcp_wif", audience, serviceAccount, subject, stsUrl, iamEndpoint };
}

function readSubject(reader: ConfigReader, path: ConfigPath, written: Written): GcpSubject | null {
  const { token_file: tokenFile, entra_resource: resource, client_id: clientId } = written;
  if (tokenFile === undefined && resource === undefined) {
    reader.report([...path, "token_file"], "wanted token_file or entra_resource");
    return null;
  }
  if (tokenFile !== undefined && resource !== undefined) {
    reader.report([...path, "entra_resource"], "given beside token_file: keep one of them");
    return null;
  }
  if (resource !== undefined) {
    return { kind: "managed_identity", resource, clientId: clientId ?? null };
  }
  if (clientId !== undefined) {
    reader.report([...path, "client_id"], "not used without entra_resource: remove it");
    return null;
  }
  return tokenFile === undefined ? null : { kind: "file", tokenFile };
}
