/** The home of who uses the AWS tools: a profile for each way to credentials that they know. */
import { createHash, generateKeyPairSync } from "node:crypto";
import { type IssuedKeys, REFRESH_TOKEN } from "./aws_fake.ts";

/** The role of the profiles that assume one. */
export const ROLE = "arn:aws:iam::123456789012:role/reader";

const SSO_SESSION = "company";
const LOGIN_SESSION = "arn:aws:iam::123456789012:user/me";

/** Profiles by name, and what each asks of an issuer; null: nothing. */
export const PROFILES: Readonly<Record<string, readonly string[]>> = {
  keys: [],
  role: [`sts ${ROLE} me`],
  process: [],
  sso: ["sso-oidc", "sso"],
  login: ["signin"],
};

/** Writes it into `home`; logins have just ended, so that they are renewed first. */
export async function writeAwsHome(home: string, keys: IssuedKeys): Promise<void> {
  const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey } = keys;
  const printed = JSON.stringify({ Version: 1, AccessKeyId, SecretAccessKey });
  const ended = new Date(Date.now() - 1_000).toISOString();
  const later = new Date(Date.now() + 3_600_000).toISOString();
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const files = {
    "credentials": `[keys]
aws_access_key_id = ${AccessKeyId}
aws_secret_access_key = ${SecretAccessKey}
`,
    "config": `[profile role]
source_profile = keys
role_arn = ${ROLE}
role_session_name = me
[profile process]
credential_process = echo '${printed}'
[profile sso]
sso_session = ${SSO_SESSION}
sso_account_id = 123456789012
sso_role_name = reader
[sso-session ${SSO_SESSION}]
sso_region = us-east-1
sso_start_url = https://${SSO_SESSION}.example/start
[profile login]
login_session = ${LOGIN_SESSION}
region = us-east-1
`,
    [`sso/cache/${hash("sha1", SSO_SESSION)}.json`]: JSON.stringify({
      ...{ accessToken: "ended", expiresAt: ended, refreshToken: REFRESH_TOKEN },
      ...{ clientId: "tools", clientSecret: "of-tools", registrationExpiresAt: later },
    }),
    [`login/cache/${hash("sha256", LOGIN_SESSION)}.json`]: JSON.stringify({
      accessToken: { ...keys, sessionToken: "ended", accountId: "123456789012", expiresAt: ended },
      ...{ clientId: "tools", refreshToken: REFRESH_TOKEN },
      dpopKey: privateKey.export({ type: "sec1", format: "pem" }),
    }),
  };
  for (const [name, text] of Object.entries(files)) {
    const path = `${home}/.aws/${name}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(path, text);
  }
}

function hash(algorithm: string, text: string): string {
  return createHash(algorithm).update(text).digest("hex");
}
