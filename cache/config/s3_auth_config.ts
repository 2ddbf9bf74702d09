/** `auth:` of an `s3` backend: which method, and where its secrets are. */
import type { z } from "zod";
import type { S3Auth } from "../backend/settings.ts";
import type { ConfigPath } from "../platform/config_problem.ts";
import type { ConfigReader } from "../platform/config_reader.ts";
import type { Secret } from "../platform/secret.ts";
import { absolutePath, choice, inlineSecret, matching, section } from "../platform/setting.ts";
import { secretInFile, secretInVariable, variableName } from "./secret_source.ts";

const METHODS = ["default", "static", "profile", "web_identity", "none"] as const;

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
  token_file: absolutePath().optional(),
  session_name: matching(/^[\w+=,.@-]{2,64}$/, "2 to 64 letters, digits or =,.@-").optional(),
  access_key_id: inlineSecret("access_key_id_env or access_key_id_file"),
  secret_access_key: inlineSecret("secret_access_key_env or secret_access_key_file"),
  session_token: inlineSecret("session_token_env or session_token_file"),
});

type Written = z.output<typeof S3_AUTH>;
type AuthKey = keyof Written & string;

/** Keys each method reads; any other would be a setting that silently does nothing. */
const KEYS_OF_METHOD: Readonly<Record<Written["method"], readonly AuthKey[]>> = {
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
  web_identity: ["role_arn", "token_file", "session_name"],
  none: [],
};

/** Reads `auth:` of the backend at `backendPath`; null when it has problems, then reported. */
export function readS3Auth(reader: ConfigReader, backendPath: ConfigPath): S3Auth | null {
  const path = [...backendPath, "auth"];
  // No `auth` means what the AWS tools do without one, which needs no secret in the file.
  if (!reader.has(path)) return { method: "default" };
  const written = reader.read(S3_AUTH, path);
  if (written === null || !onlyKeysOfMethod(reader, path, written)) return null;
  switch (written.method) {
    case "default":
      return { method: "default" };
    case "none":
      return { method: "none" };
    case "static":
      return readStatic(reader, path, written);
    case "profile": {
      const { profile } = written;
      if (profile !== undefined) return { method: "profile", profile };
      reader.report([...path, "profile"], "wanted the name of a profile");
      return null;
    }
    case "web_identity":
      return readWebIdentity(reader, path, written);
  }
}

function onlyKeysOfMethod(reader: ConfigReader, path: ConfigPath, written: Written): boolean {
  const { method, ...given } = written;
  const allowed: readonly string[] = KEYS_OF_METHOD[method];
  const extra = Object.keys(given).filter((key) =>
    !allowed.includes(key) && reader.has([...path, key])
  );
  for (const key of extra) {
    reader.report([...path, key], `not used by method "${method}": remove it`);
  }
  return extra.length === 0;
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
  if (!roleArn || !tokenFile) return null;
  return { method: "web_identity", roleArn, tokenFile, sessionName: sessionName || "warpdrive" };
}
