/** `auth:` of an `s3` backend: which method, and where its secrets are. */
import type { z } from "zod";
import type { FederatedRole, RoleSubject } from "../backend/identity/aws_role.ts";
import type { S3Auth } from "../backend/settings.ts";
import type { ConfigPath } from "../platform/config_problem.ts";
import type { ConfigReader } from "../platform/config_reader.ts";
import type { Secret } from "../platform/secret.ts";
import {
  absolutePath,
  choice,
  inlineSecret,
  matching,
  section,
  serviceUrl,
} from "../platform/setting.ts";
import {
  ENTRA_KEYS,
  ENTRA_METHODS,
  KEYS_OF_ENTRA_METHOD,
  onlyKeys,
  readEntraAuth,
} from "./entra_auth_config.ts";
import { secretInFile, secretInVariable, variableName } from "./secret_source.ts";
import { checkTokenUrl } from "./token_url_config.ts";

const METHODS = [
  "default",
  "static",
  "profile",
  "web_identity",
  "oidc_federation",
  "static_keyvault",
  "none",
] as const;

/** `auth:` of an `s3` backend. */
export const S3_AUTH = section({
  method: choice(METHODS),
  access_key_id_env: variableName().optional(),
  access_key_id_file: absolutePath().optional(),
  secret_access_key_env: variableName().optional(),
  secret_access_key_file: absolutePath().optional(),
  session_token_env: variableName().optional(),
  session_token_file: absolutePath().optional(),
  profile: matching(/^[^\s[\]]{1,128}$/, "the name of a profile").optional(),
  role_arn: matching(/^arn:[\w:/+=,.@-]+$/, 'a role such as "arn:aws:iam::123:role/NAME"')
    .optional(),
  session_name: matching(/^[\w+=,.@-]{2,64}$/, "2 to 64 letters, digits or =,.@-").optional(),
  sts_endpoint: serviceUrl("https://sts.eu-central-1.amazonaws.com").optional(),
  audience: matching(/^\S{1,512}$/, 'an application such as "api://AzureADTokenExchange"')
    .optional(),
  identity: choice(ENTRA_METHODS).optional(),
  vault_url: serviceUrl("https://NAME.vault.azure.net").optional(),
  secret_name: matching(/^[A-Za-z0-9-]{1,127}$/, "the name of a secret: letters, digits, dashes")
    .optional(),
  ...ENTRA_KEYS,
  access_key_id: inlineSecret("access_key_id_env or access_key_id_file"),
  secret_access_key: inlineSecret("secret_access_key_env or secret_access_key_file"),
  session_token: inlineSecret("session_token_env or session_token_file"),
});

type Written = z.output<typeof S3_AUTH>;

/** Keys each method reads; any other would be a setting that silently does nothing. */
const KEYS_OF_METHOD: Readonly<Record<Written["method"], readonly string[]>> = {
  default: [],
  static: [
    "access_key_id_env",
    "access_key_id_file",
    "secret_access_key_env",
    "secret_access_key_file",
    "session_token_env",
    "session_token_file",
  ],
  profile: ["profile"],
  web_identity: ["role_arn", "token_file", "session_name", "sts_endpoint"],
  oidc_federation: ["role_arn", "token_file", "session_name", "sts_endpoint"],
  static_keyvault: ["vault_url", "secret_name", "identity"],
  none: [],
};

/** Reads `auth:` of the backend at `backendPath`; null when it has problems, then reported. */
export function readS3Auth(reader: ConfigReader, backendPath: ConfigPath): S3Auth | null {
  const path = [...backendPath, "auth"];
  // No `auth` means what the AWS tools do without one, which needs no secret in the file.
  if (!reader.has(path)) return { method: "default" };
  const written = reader.read(S3_AUTH, path);
  if (written === null) return null;
  const { method } = written;
  if (!onlyKeys(reader, path, written, keysOf(written), method)) return null;
  switch (method) {
    case "default":
      return { method };
    case "none":
      return { method };
    case "static":
      return readStatic(reader, path, written);
    case "profile": {
      const { profile } = written;
      if (profile !== undefined) return { method, profile };
      reader.report([...path, "profile"], "wanted the name of a profile");
      return null;
    }
    case "web_identity":
      return readWebIdentity(reader, path, written);
    case "oidc_federation":
      return readFederation(reader, backendPath, written);
    case "static_keyvault":
      return readVault(reader, path, written);
  }
}

function keysOf(written: Written): readonly string[] {
  const { method } = written;
  const asksEntra = method === "static_keyvault" ||
    (method === "oidc_federation" && isEntraSubject(written));
  const entra = KEYS_OF_ENTRA_METHOD[written.identity ?? "managed_identity"];
  const federated = method === "oidc_federation" ? ["audience", "identity"] : [];
  return ["method", ...KEYS_OF_METHOD[method], ...federated, ...(asksEntra ? entra : [])];
}

/** Whether Entra vouches for the machine: a workload identity has a token file of its own. */
function isEntraSubject({ identity, token_file: tokenFile }: Written): boolean {
  return identity !== undefined || tokenFile === undefined;
}

function readStatic(reader: ConfigReader, path: ConfigPath, written: Written): S3Auth | null {
  const accessKeyId = readSecret(reader, path, written, "access_key_id");
  const secretAccessKey = readSecret(reader, path, written, "secret_access_key");
  const temporary = written.session_token_env ?? written.session_token_file;
  const sessionToken = temporary === undefined
    ? null
    : readSecret(reader, path, written, "session_token");
  if (accessKeyId === null || secretAccessKey === null) return null;
  if (temporary !== undefined && sessionToken === null) return null;
  return { method: "static", accessKeyId, secretAccessKey, sessionToken };
}

/** The secret that `KEY_env` or `KEY_file` names; null is reported. */
function readSecret(
  reader: ConfigReader,
  path: ConfigPath,
  written: Written,
  key: "access_key_id" | "secret_access_key" | "session_token",
): Secret | null {
  const { [`${key}_env` as const]: variable, [`${key}_file` as const]: file } = written;
  if (variable !== undefined && file !== undefined) {
    reader.report([...path, `${key}_file`], `given beside ${key}_env: keep one of them`);
    return null;
  }
  if (variable !== undefined) return secretInVariable(reader, [...path, `${key}_env`], variable);
  if (file !== undefined) return secretInFile(reader, [...path, `${key}_file`], file);
  reader.report([...path, `${key}_env`], `wanted ${key}_env or ${key}_file`);
  return null;
}

/** Missing keys come from the variables that EKS sets in a pod with a role. */
function readWebIdentity(reader: ConfigReader, path: ConfigPath, written: Written): S3Auth | null {
  const { env } = reader.inputs;
  const roleArn = written.role_arn ?? env.get("AWS_ROLE_ARN");
  const tokenFile = written.token_file ?? env.get("AWS_WEB_IDENTITY_TOKEN_FILE");
  const sessionName = written.session_name ?? env.get("AWS_ROLE_SESSION_NAME");
  if (!roleArn) reader.report([...path, "role_arn"], "wanted a role, here or in AWS_ROLE_ARN");
  if (!tokenFile) {
    const message = "wanted a path, here or in AWS_WEB_IDENTITY_TOKEN_FILE";
    reader.report([...path, "token_file"], message);
  }
  const stsEndpoint = readStsEndpoint(reader, path, written);
  if (!roleArn || !tokenFile || stsEndpoint === undefined) return null;
  const role: FederatedRole = {
    roleArn,
    sessionName: sessionName || "warpdrive",
    subject: { kind: "file", tokenFile },
    stsEndpoint,
  };
  return { method: "web_identity", role };
}

/** Where roles are given out; null: by the region's own, undefined: it is reported. */
function readStsEndpoint(
  reader: ConfigReader,
  path: ConfigPath,
  { sts_endpoint: url }: Written,
): string | null | undefined {
  if (url === undefined) return null;
  return checkTokenUrl(reader, [...path, "sts_endpoint"], url) ? url : undefined;
}

/** A role for a token that is in a file, or that Entra gives an identity. */
function readFederation(
  reader: ConfigReader,
  backendPath: ConfigPath,
  written: Written,
): S3Auth | null {
  const path = [...backendPath, "auth"];
  const { role_arn: roleArn, session_name: sessionName } = written;
  if (roleArn === undefined) reader.report([...path, "role_arn"], "wanted the role to assume");
  const subject = readSubject(reader, path, written);
  const stsEndpoint = readStsEndpoint(reader, path, written);
  if (roleArn === undefined || subject === null || stsEndpoint === undefined) return null;
  const name = reader.text([...backendPath, "name"]) ?? "";
  const role: FederatedRole = {
    roleArn,
    sessionName: sessionName ?? `warpdrive-${name}`.slice(0, 64),
    subject,
    stsEndpoint,
  };
  return { method: "oidc_federation", role };
}

function readSubject(
  reader: ConfigReader,
  path: ConfigPath,
  written: Written,
): RoleSubject | null {
  const { audience, token_file: tokenFile } = written;
  if (!isEntraSubject(written) && tokenFile !== undefined) {
    if (audience === undefined) return { kind: "file", tokenFile };
    reader.report([...path, "audience"], "given beside token_file: keep one of them");
    return null;
  }
  const identity = readEntraAuth(reader, path, written.identity ?? "managed_identity", written);
  if (audience === undefined) {
    const wanted = "wanted the application that tokens are for, or token_file";
    reader.report([...path, "audience"], wanted);
  }
  return identity === null || audience === undefined ? null : { kind: "entra", identity, audience };
}

function readVault(reader: ConfigReader, path: ConfigPath, written: Written): S3Auth | null {
  const { vault_url: vaultUrl, secret_name: secretName } = written;
  const at = [...path, "vault_url"];
  if (vaultUrl === undefined) reader.report(at, "wanted the URL of the vault");
  const isTokenUrl = vaultUrl !== undefined && checkTokenUrl(reader, at, vaultUrl);
  if (secretName === undefined) {
    reader.report([...path, "secret_name"], "wanted the name of the secret");
  }
  const identity = readEntraAuth(reader, path, written.identity ?? "managed_identity", written);
  if (identity === null || secretName === undefined || !isTokenUrl) return null;
  return { method: "static_keyvault", secret: { vaultUrl, secretName, identity } };
}
