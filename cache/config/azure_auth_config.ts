/** `auth:` of an `azureblob` backend: which method, and where its secrets are. */
import type { z } from "zod";
import type { AzureAuth } from "../backend/settings.ts";
import type { ConfigPath } from "../platform/config_problem.ts";
import type { ConfigReader } from "../platform/config_reader.ts";
import { Secret } from "../platform/secret.ts";
import {
  absolutePath,
  choice,
  inlineSecret,
  matching,
  section,
  serviceUrl,
} from "../platform/setting.ts";
import { readVariable, secretInFile, secretInVariable, variableName } from "./secret_source.ts";

const METHODS = [
  "managed_identity",
  "service_principal",
  "workload_identity",
  "static",
  "none",
] as const;

const IDENTIFIER = /^[\w.-]{1,128}$/;
const STATIC_KEYS = ["account_key_env", "account_key_file", "sas_env", "sas_file"] as const;

/** `auth:` of an `azureblob` backend. */
export const AZURE_AUTH = section({
  method: choice(METHODS),
  account_key_env: variableName().optional(),
  account_key_file: absolutePath().optional(),
  sas_env: variableName().optional(),
  sas_file: absolutePath().optional(),
  tenant_id: matching(IDENTIFIER, "a tenant ID").optional(),
  client_id: matching(IDENTIFIER, "a client ID").optional(),
  client_id_env: variableName().optional(),
  client_secret_env: variableName().optional(),
  client_secret_file: absolutePath().optional(),
  token_file: absolutePath().optional(),
  authority_host: serviceUrl("https://login.microsoftonline.com").optional(),
  account_key: inlineSecret("account_key_env or account_key_file"),
  sas: inlineSecret("sas_env or sas_file"),
  sas_token: inlineSecret("sas_env or sas_file"),
  client_secret: inlineSecret("client_secret_env or client_secret_file"),
});

type Written = z.output<typeof AZURE_AUTH>;
type AuthKey = keyof Written & string;

/** Keys each method reads; any other would be a setting that silently does nothing. */
const KEYS_OF_METHOD: Readonly<Record<Written["method"], readonly AuthKey[]>> = {
  managed_identity: ["client_id", "client_id_env"],
  service_principal: [
    "tenant_id",
    "client_id",
    "client_id_env",
    "client_secret_env",
    "client_secret_file",
    "authority_host",
  ],
  workload_identity: ["tenant_id", "client_id", "client_id_env", "token_file", "authority_host"],
  static: STATIC_KEYS,
  none: [],
};

/** Reads `auth:` of the backend at `backendPath`; null when it has problems, then reported. */
export function readAzureAuth(reader: ConfigReader, backendPath: ConfigPath): AzureAuth | null {
  const path = [...backendPath, "auth"];
  // No `auth` means the identity of the machine, the one method that needs no secret at all.
  if (!reader.has(path)) return { method: "managed_identity", clientId: null };
  const written = reader.read(AZURE_AUTH, path);
  if (written === null) return null;
  const form = new AuthForm(reader, path, written);
  if (!form.onlyKeysOfMethod()) return null;
  switch (written.method) {
    case "managed_identity": {
      const clientId = form.clientId();
      return clientId === undefined ? null : { method: "managed_identity", clientId };
    }
    case "service_principal":
      return form.servicePrincipal();
    case "workload_identity":
      return form.workloadIdentity();
    case "static":
      return form.static();
    case "none":
      return { method: "none" };
  }
}

/** The `auth:` section of one backend, read key by key. */
class AuthForm {
  readonly #reader: ConfigReader;
  readonly #path: ConfigPath;
  readonly #written: Written;

  constructor(reader: ConfigReader, path: ConfigPath, written: Written) {
    this.#reader = reader;
    this.#path = path;
    this.#written = written;
  }

  onlyKeysOfMethod(): boolean {
    const { method, ...given } = this.#written;
    const allowed: readonly string[] = KEYS_OF_METHOD[method];
    const extra = Object.keys(given).filter((key) =>
      !allowed.includes(key) && this.#reader.has([...this.#path, key])
    );
    for (const key of extra) this.#report(key, `not used by method "${method}": remove it`);
    return extra.length === 0;
  }

  servicePrincipal(): AzureAuth | null {
    const { tenant_id: tenantId, authority_host: authorityHost } = this.#written;
    if (tenantId === undefined) this.#report("tenant_id", "wanted the tenant of the principal");
    const clientId = this.clientId();
    if (clientId === null) this.#report("client_id", "wanted client_id or client_id_env");
    const clientSecret = this.#secret("client_secret_env", "client_secret_file");
    if (tenantId === undefined || !clientId || clientSecret === null) return null;
    return {
      method: "service_principal",
      tenantId,
      clientId,
      clientSecret,
      authorityHost: authorityHost ?? null,
    };
  }

  /** Missing keys come from the variables that the workload identity webhook of AKS sets. */
  workloadIdentity(): AzureAuth | null {
    const { env } = this.#reader.inputs;
    const tenantId = this.#written.tenant_id ?? env.get("AZURE_TENANT_ID");
    const clientId = this.clientId() ?? env.get("AZURE_CLIENT_ID");
    const tokenFile = this.#written.token_file ?? env.get("AZURE_FEDERATED_TOKEN_FILE");
    const authorityHost = this.#written.authority_host ?? env.get("AZURE_AUTHORITY_HOST");
    if (!tenantId) this.#report("tenant_id", "wanted a tenant ID, here or in AZURE_TENANT_ID");
    if (!clientId) this.#report("client_id", "wanted a client ID, here or in AZURE_CLIENT_ID");
    if (!tokenFile) {
      this.#report("token_file", "wanted a path, here or in AZURE_FEDERATED_TOKEN_FILE");
    }
    if (!tenantId || !clientId || !tokenFile) return null;
    return {
      method: "workload_identity",
      tenantId,
      clientId,
      tokenFile,
      authorityHost: authorityHost ?? null,
    };
  }

  static(): AzureAuth | null {
    const given = STATIC_KEYS.filter((key) => this.#written[key] !== undefined);
    const [first, second] = given;
    if (first === undefined) {
      this.#report("method", `needs one of ${STATIC_KEYS.join(", ")}`);
      return null;
    }
    if (second !== undefined) {
      this.#report(second, `given beside ${first}: keep one of them`);
      return null;
    }
    return first.startsWith("sas") ? this.#sas(first) : this.#accountKey(first);
  }

  /** The client ID; null when none is given, undefined when its variable is reported as unset. */
  clientId(): string | null | undefined {
    const { client_id: id, client_id_env: variable } = this.#written;
    if (variable === undefined) return id ?? null;
    if (id !== undefined) {
      this.#report("client_id_env", "given beside client_id: keep one of them");
      return undefined;
    }
    return readVariable(this.#reader, [...this.#path, "client_id_env"], variable) ?? undefined;
  }

  #accountKey(key: string): AzureAuth | null {
    const accountKey = this.#secret("account_key_env", "account_key_file");
    if (accountKey === null) return null;
    if (isAccountKey(accountKey)) return { method: "account_key", accountKey };
    this.#report(key, "holds no account key: wanted base64 text, as the portal shows it");
    return null;
  }

  #sas(key: string): AzureAuth | null {
    const secret = this.#secret("sas_env", "sas_file");
    const sasToken = secret === null ? null : parseSasToken(secret);
    if (sasToken !== null) return { method: "sas", sasToken };
    if (secret !== null) this.#report(key, "holds no SAS token: wanted sv=…&sig=…, no URL");
    return null;
  }

  #secret(
    envKey: "account_key_env" | "sas_env" | "client_secret_env",
    fileKey: "account_key_file" | "sas_file" | "client_secret_file",
  ): Secret | null {
    const { [envKey]: variable, [fileKey]: file } = this.#written;
    if (variable !== undefined && file !== undefined) {
      this.#report(fileKey, `given beside ${envKey}: keep one of them`);
      return null;
    }
    if (variable !== undefined) {
      return secretInVariable(this.#reader, [...this.#path, envKey], variable);
    }
    if (file !== undefined) return secretInFile(this.#reader, [...this.#path, fileKey], file);
    this.#report(envKey, `wanted ${envKey} or ${fileKey}`);
    return null;
  }

  #report(key: string, message: string): void {
    this.#reader.report([...this.#path, key], message);
  }
}

/** Whether `secret` can be an account key: what HMAC-SHA256 signs with is base64 in Azure. */
export function isAccountKey(secret: Secret): boolean {
  return /^[A-Za-z0-9+/]{16,}={0,2}$/.test(secret.reveal()) && secret.reveal().length % 4 === 0;
}

/** The token without its leading `?`, or null when it is none. */
export function parseSasToken(secret: Secret): Secret | null {
  const token = secret.reveal().replace(/^\?/, "");
  return !token.includes("://") && /(^|&)sig=/.test(token) ? new Secret(token) : null;
}
