/** Keys that say who somebody is to Entra, in `auth:` of whatever backend needs its tokens. */
import { type ConfigPath } from "../platform/config_problem.ts";
import type { ConfigReader } from "../platform/config_reader.ts";
import type { Secret } from "../platform/secret.ts";
import { absolutePath, inlineSecret, matching, serviceUrl } from "../platform/setting.ts";
import type { ApplicationProof, EntraAuth } from "../backend/identity/entra_auth.ts";
import { readVariable, secretInFile, secretInVariable, variableName } from "./secret_source.ts";

/** Ways to be somebody to Entra. */
export const ENTRA_METHODS = [
  "managed_identity",
  "service_principal",
  "workload_identity",
  "azure_cli",
] as const;
export type EntraMethod = (typeof ENTRA_METHODS)[number];

const IDENTIFIER = /^[\w.-]{1,128}$/;
const RESOURCE_ID = /^\/subscriptions\/[^/]+\/.+\/userAssignedIdentities\/[^/]+$/i;

/** All keys of those ways, for the section that has them. */
export const ENTRA_KEYS = {
  tenant_id: matching(IDENTIFIER, "a tenant ID").optional(),
  client_id: matching(IDENTIFIER, "a client ID").optional(),
  client_id_env: variableName().optional(),
  resource_id: matching(
    RESOURCE_ID,
    'a resource ID such as "/subscriptions/…/userAssignedIdentities/NAME"',
  ).optional(),
  client_secret_env: variableName().optional(),
  client_secret_file: absolutePath().optional(),
  client_certificate_file: absolutePath().optional(),
  client_certificate_password_env: variableName().optional(),
  client_certificate_password_file: absolutePath().optional(),
  token_file: absolutePath().optional(),
  authority_host: serviceUrl("https://login.microsoftonline.com").optional(),
  client_secret: inlineSecret("client_secret_env or client_secret_file"),
  client_certificate: inlineSecret("client_certificate_file"),
  client_certificate_password: inlineSecret(
    "client_certificate_password_env or client_certificate_password_file",
  ),
};

/** Keys that each way reads. */
export const KEYS_OF_ENTRA_METHOD = {
  managed_identity: ["client_id", "client_id_env", "resource_id"],
  service_principal: [
    "tenant_id",
    "client_id",
    "client_id_env",
    "client_secret_env",
    "client_secret_file",
    "client_certificate_file",
    "client_certificate_password_env",
    "client_certificate_password_file",
    "authority_host",
  ],
  workload_identity: ["tenant_id", "client_id", "client_id_env", "token_file", "authority_host"],
  azure_cli: ["tenant_id"],
} as const;

/** What a file says under those keys. */
export interface WrittenEntra {
  readonly tenant_id?: string | undefined;
  readonly client_id?: string | undefined;
  readonly client_id_env?: string | undefined;
  readonly resource_id?: string | undefined;
  readonly client_secret_env?: string | undefined;
  readonly client_secret_file?: string | undefined;
  readonly client_certificate_file?: string | undefined;
  readonly client_certificate_password_env?: string | undefined;
  readonly client_certificate_password_file?: string | undefined;
  readonly token_file?: string | undefined;
  readonly authority_host?: string | undefined;
}

/** The identity that `written` at `path` names; null when it has problems, then reported. */
export function readEntraAuth(
  reader: ConfigReader,
  path: ConfigPath,
  method: EntraMethod,
  written: WrittenEntra,
): EntraAuth | null {
  const form = new EntraForm(reader, path, written);
  switch (method) {
    case "managed_identity":
      return form.managedIdentity();
    case "service_principal":
      return form.servicePrincipal();
    case "workload_identity":
      return form.workloadIdentity();
    case "azure_cli":
      return { method: "azure_cli", tenantId: written.tenant_id ?? null };
  }
}

/** Those keys of one backend, read one by one. */
class EntraForm {
  readonly #reader: ConfigReader;
  readonly #path: ConfigPath;
  readonly #written: WrittenEntra;

  constructor(reader: ConfigReader, path: ConfigPath, written: WrittenEntra) {
    this.#reader = reader;
    this.#path = path;
    this.#written = written;
  }

  managedIdentity(): EntraAuth | null {
    const clientId = this.#clientId();
    const resourceId = this.#written.resource_id ?? null;
    if (clientId === undefined) return null;
    if (clientId === null || resourceId === null) {
      return { method: "managed_identity", clientId, resourceId };
    }
    this.#report("resource_id", "given beside a client ID: keep one of them");
    return null;
  }

  servicePrincipal(): EntraAuth | null {
    const { tenant_id: tenantId, authority_host: authorityHost } = this.#written;
    if (tenantId === undefined) this.#report("tenant_id", "wanted the tenant of the principal");
    const clientId = this.#clientId();
    if (clientId === null) this.#report("client_id", "wanted client_id or client_id_env");
    const proof = this.#proof();
    if (tenantId === undefined || !clientId || proof === null) return null;
    const method = "service_principal";
    return { method, tenantId, clientId, proof, authorityHost: authorityHost ?? null };
  }

  /** Missing keys come from the variables that the workload identity webhook of AKS sets. */
  workloadIdentity(): EntraAuth | null {
    const { env } = this.#reader.inputs;
    const tenantId = this.#written.tenant_id ?? env.get("AZURE_TENANT_ID");
    const clientId = this.#clientId() ?? env.get("AZURE_CLIENT_ID");
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

  /** Secret or certificate, of which there has to be one. */
  #proof(): ApplicationProof | null {
    const file = this.#written.client_certificate_file;
    const hasSecret = this.#written.client_secret_env ?? this.#written.client_secret_file;
    if (file === undefined) {
      if (hasSecret === undefined) {
        const wanted = "client_secret_env, client_secret_file or client_certificate_file";
        this.#report("client_secret_env", `wanted ${wanted}`);
        return null;
      }
      const secret = this.#secret("client_secret_env", "client_secret_file");
      return secret === null ? null : { kind: "secret", secret };
    }
    if (hasSecret !== undefined) {
      this.#report("client_certificate_file", "given beside a secret: keep one of them");
      return null;
    }
    if (!this.#isCertificate(file)) return null;
    const locked = this.#written.client_certificate_password_env ??
      this.#written.client_certificate_password_file;
    if (locked === undefined) return { kind: "certificate", file, password: null };
    const password = this.#secret(
      "client_certificate_password_env",
      "client_certificate_password_file",
    );
    return password === null ? null : { kind: "certificate", file, password };
  }

  /** Whether there are a certificate and a key in `file`, as the library wants them. */
  #isCertificate(file: string): boolean {
    const path = [...this.#path, "client_certificate_file"];
    const text = secretInFile(this.#reader, path, file)?.reveal();
    if (text === undefined) return false;
    const certificate = text.includes("-----BEGIN CERTIFICATE-----");
    const key = /-----BEGIN (\w+ )*PRIVATE KEY-----/.test(text);
    if (certificate && key) return true;
    const missing = certificate ? "private key" : "certificate";
    this.#reader.report(path, `the file holds no ${missing} in PEM: wanted both in one file`);
    return false;
  }

  /** The client ID; null when none is given, undefined when its variable is reported as unset. */
  #clientId(): string | null | undefined {
    const { client_id: id, client_id_env: variable } = this.#written;
    if (variable === undefined) return id ?? null;
    if (id !== undefined) {
      this.#report("client_id_env", "given beside client_id: keep one of them");
      return undefined;
    }
    return readVariable(this.#reader, [...this.#path, "client_id_env"], variable) ?? undefined;
  }

  #secret(
    envKey: "client_secret_env" | "client_certificate_password_env",
    fileKey: "client_secret_file" | "client_certificate_password_file",
  ): Secret | null {
    const { [envKey]: variable, [fileKey]: file } = this.#written;
    if (variable !== undefined && file !== undefined) {
      this.#report(fileKey, `given beside ${envKey}: keep one of them`);
      return null;
    }
    if (variable !== undefined) {
      return secretInVariable(this.#reader, [...this.#path, envKey], variable);
    }
    return file === undefined ? null : secretInFile(this.#reader, [...this.#path, fileKey], file);
  }

  #report(key: string, message: string): void {
    this.#reader.report([...this.#path, key], message);
  }
}

/** Reports keys of `written` that are not `allowed`; returns whether there are none. */
export function onlyKeys(
  reader: ConfigReader,
  path: ConfigPath,
  written: Readonly<Record<string, unknown>>,
  allowed: readonly string[],
  method: string,
): boolean {
  const extra = Object.keys(written).filter((key) =>
    !allowed.includes(key) && reader.has([...path, key])
  );
  for (const key of extra) {
    reader.report([...path, key], `not used by method "${method}": remove it`);
  }
  return extra.length === 0;
}
