/** Every source of AWS credentials against issuers on loopback and a real S3 server. */
import assert from "node:assert/strict";
import { CONTAINER_TOKEN, startAwsFake } from "./support/aws_fake.ts";
import { type IdentityAnswer, runIdentityClient } from "./support/identity_client.ts";
import { CLOSED_PORT } from "./support/free_port.ts";
import { startVersitygw, type Versitygw } from "./support/versitygw.ts";

const ROLE = "arn:aws:iam::123456789012:role/reader";
const BUCKET = "identities";

interface Case {
  readonly title: string;
  readonly auth: Readonly<Record<string, string>> | null;
  readonly env: Readonly<Record<string, string>>;
  /** What the issuers gave credentials for; null where none is asked. */
  readonly seen: string | null;
}

Deno.test("S3Backend gets in with what each source of credentials gives it", async (t) => {
  await using server = await startVersitygw();
  await server.createBucket(BUCKET);
  await using issuers = startAwsFake(server, Date.now() + 3_600_000);
  await using home = await writeHome(server);
  for (const { title, auth, env, seen } of casesOf(server, issuers.origin, home)) {
    await t.step(title, async () => {
      issuers.seen.length = 0;
      const answer = await runClient(server.endpoint, auth, { HOME: home.directory, ...env });
      const provider = auth?.["method"] === "web_identity" ? "aws_sts" : "aws";
      assert.deepEqual(answer, { said: "hello", renewals: [`${provider} success`] });
      assert.deepEqual(issuers.seen, seen === null ? [] : [seen], "once for all requests");
    });
  }
});

Deno.test("S3Backend tells credentials that are missing from an issuer that is down", async () => {
  await using server = await startVersitygw();
  await server.createBucket(BUCKET);
  await using home = await writeHome(server);
  const none = { HOME: home.directory, AWS_EC2_METADATA_DISABLED: "true" };
  const missing = await runClient(server.endpoint, null, none);
  assert.match(missing.said, /^denied: .*no AWS credentials .*Give the machine a role/);
  assert.deepEqual(missing.renewals, ["aws failure"]);
  const identity = { AWS_ROLE_ARN: ROLE, AWS_WEB_IDENTITY_TOKEN_FILE: home.tokenFile };
  const down = { ...none, ...identity, AWS_ENDPOINT_URL_STS: `http://127.0.0.1:${CLOSED_PORT}` };
  const outage = await runClient(server.endpoint, { method: "web_identity" }, down);
  assert.match(outage.said, /^unavailable: .*no AWS credentials/);
});

/** A home directory, and the files in it that credentials come from. */
interface Home extends AsyncDisposable {
  readonly directory: string;
  readonly profiles: string;
  readonly tokenFile: string;
}

async function writeHome({ accessKeyId, secretAccessKey }: Versitygw): Promise<Home> {
  const directory = await Deno.makeTempDir({ prefix: "warpdrive-s3-identity-" });
  const profiles = `${directory}/credentials`;
  const tokenFile = `${directory}/token`;
  const profile = `aws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}`;
  await Deno.writeTextFile(profiles, `[research]\n${profile}\n`);
  await Deno.writeTextFile(tokenFile, "an.assertion.of-entra");
  const remove = () => Deno.remove(directory, { recursive: true });
  return { directory, profiles, tokenFile, [Symbol.asyncDispose]: remove };
}

function casesOf(server: Versitygw, issuers: string, home: Home): readonly Case[] {
  const { accessKeyId, secretAccessKey } = server;
  const keys = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  const { tokenFile } = home;
  const webIdentity = { AWS_ROLE_ARN: ROLE, AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile };
  const sts = { AWS_ENDPOINT_URL_STS: issuers };
  return [
    { title: "keys of the environment", auth: null, env: keys, seen: null },
    {
      title: "a profile",
      auth: { method: "profile", profile: "research" },
      env: { AWS_SHARED_CREDENTIALS_FILE: home.profiles },
      seen: null,
    },
    {
      title: "a web identity",
      auth: { method: "web_identity", role_arn: ROLE, token_file: tokenFile, session_name: "me" },
      env: sts,
      seen: `sts ${ROLE} me an.assertion.of-entra`,
    },
    {
      title: "the web identity of a pod, found by the default chain",
      auth: { method: "default" },
      env: { ...sts, ...webIdentity, AWS_ROLE_SESSION_NAME: "pod" },
      seen: `sts ${ROLE} pod an.assertion.of-entra`,
    },
    {
      title: "the role of the machine",
      auth: null,
      env: { AWS_EC2_METADATA_SERVICE_ENDPOINT: issuers },
      seen: "metadata",
    },
    {
      title: "the role of the container",
      auth: null,
      env: {
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `${issuers}/container`,
        AWS_CONTAINER_AUTHORIZATION_TOKEN: CONTAINER_TOKEN,
      },
      seen: "container",
    },
  ];
}

async function runClient(
  endpoint: string,
  auth: Readonly<Record<string, string>> | null,
  env: Readonly<Record<string, string>>,
): Promise<IdentityAnswer> {
  const config = { root: BUCKET, endpoint };
  const backend = { name: "s3", type: "s3", config, ...(auth === null ? {} : { auth }) };
  return await runIdentityClient("s3", backend, env);
}
