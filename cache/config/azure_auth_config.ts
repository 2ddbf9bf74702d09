/** `auth:` of an `azureblob` backend: which method, and where its secrets are. */
import type { z } from "zod";
import type { AzureAuth } from "../backend/settings.ts";
import type { ConfigPath } from "../platform/config_problem.ts";
import type { ConfigReader } from "../platform/config_reader.ts";
import { Secret } from "../platform/secret.ts";
import { absolutePath, choice, inlineSecret, section } from "../platform/setting.ts";
import {
  ENTRA_KEYS,
  ENTRA_METHODS,
  KEYS_OF_ENTRA_METHOD,
  onlyKeys,
  readEntraAuth,
} from "./entra_auth_config.ts";
import { secretInFile, secretInVariable, variableName } from "./secret_source.ts";

const METHODS = [...ENTRA_METHODS, "static", "none"] as const;

const STATIC_KEYS = ["account_key_env", "account_key_file", "sas_env", "sas_file"] as const;

/** `auth:` of an `azureblob` backend. */
export const AZURE_AUTH = section({
  method: choice(METHODS),
  account_key_env: variableName().optional(),
  account_key_file: absolutePath().optional(),
  sas_env: variableName().optional(),
  sas_file: absolutePath().optional(),
  ...ENTRA_KEYS,
  account_key: inlineSecret("account_key_env or account_key_file"),
  sas: inlineSecret("sas_env or sas_file"),
  sas_token: inlineSecret("sas_env or sas_file"),
});

type Written = z.output<typeof AZURE_AUTH>;

/** Keys each method reads; any other would be a setting that silently does nothing. */
const KEYS_OF_METHOD: Readonly<Record<Written["method"], readonly string[]>> = {
  ...KEYS_OF_ENTRA_METHOD,
  static: STATIC_KEYS,
  none: [],
};

/** Reads `auth:` of the backend at `backendPath`; null when it has problems, then reported. */
export function readAzureAuth(reader: ConfigReader, backendPath: ConfigPath): AzureAuth | null {
  const path = [...backendPath, "auth"];
  // No `auth` means the identity of the machine, the one method that needs no secret at all.
  if (!reader.has(path)) return { method: "managed_identity", clientId: null, resourceId: null };
  const written = reader.read(AZURE_AUTH, path);
  if (written === null) return null;
  const { method } = written;
  const allowed = ["method", ...KEYS_OF_METHOD[method]];
  if (!onlyKeys(reader, path, written, allowed, method)) return null;
  switch (method) {
    case "static":
      return readStatic(reader, path, written);
    case "none":
      return { method: "none" };
    default:
      return readEntraAuth(reader, path, method, written);
  }
}

function readStatic(reader: ConfigReader, path: ConfigPath, written: Written): AzureAuth | null {
  const [first, second] = STATIC_KEYS.filter((key) => written[key] !== undefined);
  if (first === undefined) {
    reader.report([...path, "method"], `needs one of ${STATIC_KEYS.join(", ")}`);
    return null;
  }
  if (second !== undefined) {
    reader.report([...path, second], `given beside ${first}: keep one of them`);
    return null;
  }
  const at = [...path, first];
  const named = written[first] ?? "";
  const secret = first.endsWith("_env")
    ? secretInVariable(reader, at, named)
    : secretInFile(reader, at, named);
  if (secret === null) return null;
  if (first.startsWith("account_key")) {
    if (isAccountKey(secret)) return { method: "account_key", accountKey: secret };
    reader.report(at, "holds no account key: wanted base64 text, as the portal shows it");
    return null;
  }
  const sasToken = parseSasToken(secret);
  if (sasToken !== null) return { method: "sas", sasToken };
  reader.report(at, "holds no SAS token: wanted sv=…&sig=…, no URL");
  return null;
}

/** Whether `secret` can be an account key: what HMAC-SHA256 signs with is base64 in Azure. */
export function isAccountKey(secret: Secret): boolean {
  return /^[A-Za-z0-9+/]{16,}={0,2}$/.test(secret.reveal()) && secret.reveal().length % 4 === 0;
}

/** The token without its leading `?`, or null when it is none. */
export function parseSasToken(secret: Secret): Secret | null {
  const token = secret.reveal().replace(/^\?/, "");
  const isOne = !token.includes("://") && /(^|&)sig=/.test(token);
  return isOne ? new Secret(token, secret.file) : null;
}
