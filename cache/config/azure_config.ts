/** `config:` and `auth:` of a backend of type `azureblob`. */
import type { z } from "zod";
import type { AzureAuth, Source } from "../backend/settings.ts";
import { readAzureAuth } from "./azure_auth_config.ts";
import { parsePrefix } from "../key_prefix.ts";
import type { ConfigPath } from "../platform/config_problem.ts";
import type { ConfigReader } from "../platform/config_reader.ts";
import {
  flag,
  inlineSecret,
  integer,
  matching,
  refusedKey,
  section,
  serviceUrl,
  setting,
  size,
} from "../platform/setting.ts";

/** Names of storage accounts: 3 to 24 lowercase letters and digits, says Azure Resource Manager. */
const ACCOUNT = /^[a-z0-9]{3,24}$/;
/** Names of containers: lowercase letters, digits and single dashes, and three reserved ones. */
const CONTAINER = /^(\$root|\$web|\$logs|(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9])$/;

/** Blobs per page that Azure returns at most. */
const LIST_PAGE_MAX = 5_000;

const KEY_INSTEAD = "auth.account_key_env or auth.account_key_file";
const SAS_INSTEAD = "auth.sas_env or auth.sas_file";

/** `config:` of an `azureblob` backend. */
export const AZURE_CONFIG = section({
  account: matching(ACCOUNT, "a storage account name: 3 to 24 lowercase letters and digits"),
  root: matching(CONTAINER, "a container name: 3 to 63 lowercase letters, digits and dashes"),
  prefix: setting('a prefix of keys, such as "train/v2"', parsePrefix).prefault(""),
  endpoint: serviceUrl("https://ACCOUNT.blob.core.windows.net").optional(),
  list_chunk: integer(1, LIST_PAGE_MAX).prefault(String(LIST_PAGE_MAX)),
  chunk_size: size(1, 'a size such as "4MiB"').optional(),
  env_auth: flag().optional(),
  use_msi: flag().optional(),
  container: refusedKey('the container is named by "root"'),
  account_key: inlineSecret(KEY_INSTEAD),
  key: inlineSecret(KEY_INSTEAD),
  sas: inlineSecret(SAS_INSTEAD),
  sas_url: inlineSecret(`the endpoint in "endpoint", and ${SAS_INSTEAD}`),
  connection_string: inlineSecret(KEY_INSTEAD),
});

/** Reads the backend at `path`; null when it has problems, which are then reported. */
export function readAzureSource(reader: ConfigReader, path: ConfigPath): Source | null {
  const configPath = [...path, "config"];
  const config = reader.read(AZURE_CONFIG, configPath);
  const auth = readAzureAuth(reader, path);
  if (config === null || auth === null) return null;
  if (config.chunk_size !== undefined) {
    reader.warn([...configPath, "chunk_size"], "not used: blocks have the size cache.block_size");
  }
  const endpoint = config.endpoint ?? defaultAzureEndpoint(config.account);
  if (!checkAuth(reader, path, config, auth, endpoint)) return null;
  return {
    type: "azureblob",
    account: config.account,
    container: config.root,
    prefix: config.prefix,
    endpoint,
    listPageSize: config.list_chunk,
    auth,
  };
}

/** Blob service of `account` in the public cloud. */
export function defaultAzureEndpoint(account: string): string {
  return `https://${account}.blob.core.windows.net`;
}

/** What `config` and `auth` cannot each know alone. */
function checkAuth(
  reader: ConfigReader,
  path: ConfigPath,
  config: z.output<typeof AZURE_CONFIG>,
  auth: AzureAuth,
  endpoint: string,
): boolean {
  const tokens = isTokenMethod(auth);
  if (config.use_msi === true && auth.method !== "managed_identity") {
    reader.report(
      [...path, "config", "use_msi"],
      `contradicts auth.method: wanted "managed_identity" there, or no use_msi here`,
    );
    return false;
  }
  if (config.use_msi === false && !reader.has([...path, "auth"])) {
    reader.report([...path, "auth", "method"], "wanted a method, because use_msi is false");
    return false;
  }
  if (config.env_auth === true && !tokens) {
    reader.report(
      [...path, "config", "env_auth"],
      "contradicts auth.method: wanted an identity there, or no env_auth here",
    );
    return false;
  }
  if (tokens && endpoint.startsWith("http:")) {
    reader.report(
      [...path, "config", "endpoint"],
      `wanted an https URL, because tokens of ${auth.method} are never sent in the clear`,
    );
    return false;
  }
  return true;
}

function isTokenMethod(auth: AzureAuth): boolean {
  switch (auth.method) {
    case "managed_identity":
    case "service_principal":
    case "workload_identity":
    case "azure_cli":
      return true;
    case "account_key":
    case "sas":
    case "none":
      return false;
  }
}
