/** Every source of Google tokens, against issuers on loopback and a store that wants valid ones. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { CLOSED_PORT } from "./support/free_port.ts";
import { type GcsServers, startGcsServers } from "./support/gcs_place.ts";
import { ACCOUNT, ENTRA_RESOURCE, POOL, SUBJECT_TOKEN, USER } from "./support/google_fake.ts";

const CLIENT = fileURLToPath(new URL("./support/gcs_identity_client.ts", import.meta.url));
const CONFIG = fileURLToPath(new URL("../deno.json", import.meta.url));
const BUCKET = "identities";

type Mapping = Readonly<Record<string, string>>;

interface Case {
  readonly title: string;
  readonly auth: Mapping | null;
  readonly env: Mapping;
  /** Who was asked for something. */
  readonly seen: readonly string[];
}

Deno.test("GcsBackend gets in with what each source of tokens gives it", async (t) => {
  await using servers = await startGcsServers();
  await servers.server.createBucket(BUCKET);
  await writeFiles(servers);
  for (const { title, auth, env, seen } of casesOf(servers)) {
    await t.step(title, async () => {
      servers.issuers.seen.length = 0;
      const answer = await runClient(servers, auth, env);
      assert.deepEqual(answer, { said: "hello", renewals: ["success"] });
      assert.deepEqual(servers.issuers.seen, seen, "once for all requests");
    });
  }
});

Deno.test("GcsBackend says of each source of tokens what is wrong with it", async (t) => {
  await using servers = await startGcsServers();
  await servers.server.createBucket(BUCKET);
  await writeFiles(servers);
  const { directory } = servers;
  const wif = federation(servers);
  const wrong:
    readonly (readonly [title: string, auth: Mapping | null, env: Mapping, said: RegExp])[] = [
      [
        "no metadata server, and no file",
        null,
        { GCE_METADATA_HOST: `127.0.0.1:${CLOSED_PORT}` },
        /^unavailable: .*no Google access token .*Give the machine a service account/s,
      ],
      [
        "a file that is named and not there",
        null,
        { GOOGLE_APPLICATION_CREDENTIALS: `${directory}/none.json` },
        /^denied: .*the file ".*none\.json" does not exist/s,
      ],
      [
        "a user who has logged out",
        null,
        { GOOGLE_APPLICATION_CREDENTIALS: `${directory}/old_user.json` },
        /^denied: .*400 invalid_grant: Bad Request/s,
      ],
      [
        "a pool that does not know the token",
        { ...wif, token_file: `${directory}/other_token` },
        {},
        /^denied: .*400 invalid_grant: Wrong subject_token.*Check audience/s,
      ],
      [
        "an account that the pool may not act as",
        { ...wif, service_account: "other@project.iam.gserviceaccount.com" },
        {},
        /^denied: .*the issuer answered 404/s,
      ],
      [
        "an exchange that is down",
        { ...wif, sts_url: `http://127.0.0.1:${CLOSED_PORT}/v1/token` },
        {},
        /^unavailable: .*connection refused by 127\.0\.0\.1:.*Check the network to 127/s,
      ],
    ];
  for (const [title, auth, env, said] of wrong) {
    await t.step(title, async () => {
      const answer = await runClient(servers, auth, env);
      assert.match(answer.said, said);
      assert.doesNotMatch(answer.said, SECRETS);
      assert.ok(
        answer.renewals.length > 0 && answer.renewals.every((status) => status === "failure"),
      );
    });
  }
});

/** What no message may show. */
const SECRETS = /user-secret|user-proof|claims-of|PRIVATE|ya29/;

async function writeFiles({ directory, issuers }: GcsServers): Promise<void> {
  const user = { type: "authorized_user", ...USER, token_uri: `${issuers.origin}/token` };
  const files: Readonly<Record<string, unknown>> = {
    "user.json": user,
    "old_user.json": { ...user, refresh_token: "old-user-proof" },
    "external.json": {
      type: "external_account",
      audience: POOL,
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      token_url: `${issuers.origin}/v1/token`,
      credential_source: { file: `${directory}/plain_token` },
    },
    "gcloud/application_default_credentials.json": user,
  };
  await Deno.mkdir(`${directory}/gcloud`);
  for (const [name, json] of Object.entries(files)) {
    await Deno.writeTextFile(`${directory}/${name}`, JSON.stringify(json));
  }
  // Of the two readers, only ours takes a file that ends its line.
  await Deno.writeTextFile(`${directory}/plain_token`, SUBJECT_TOKEN);
  await Deno.writeTextFile(`${directory}/token`, `${SUBJECT_TOKEN}\n`);
  await Deno.writeTextFile(`${directory}/other_token`, "other.claims-of-somebody.signature");
}

/** `auth` by a pool that trusts the token in a file, and the account it may act as. */
function federation({ issuers, directory }: GcsServers): Mapping {
  return {
    method: "gcp_wif",
    audience: POOL,
    token_file: `${directory}/token`,
    service_account: ACCOUNT,
    sts_url: `${issuers.origin}/v1/token`,
    iam_endpoint: issuers.origin,
  };
}

function casesOf(servers: GcsServers): readonly Case[] {
  const { issuers, keyFile, directory } = servers;
  const wif = federation(servers);
  const { token_file: _, ...entra } = wif;
  const { service_account: __, ...itself } = wif;
  return [
    {
      title: "the key of a service account",
      auth: { method: "service_account", key_file: keyFile },
      env: {},
      seen: ["key"],
    },
    {
      title: "a key that the environment names",
      auth: null,
      env: { GOOGLE_APPLICATION_CREDENTIALS: keyFile },
      seen: ["key"],
    },
    {
      title: "the user whom gcloud logged in",
      auth: null,
      env: { CLOUDSDK_CONFIG: `${directory}/gcloud` },
      seen: ["user"],
    },
    {
      title: "the machine",
      auth: { method: "default" },
      env: { GCE_METADATA_HOST: issuers.host },
      seen: ["metadata"],
    },
    {
      title: "federation as a file describes it",
      auth: null,
      env: { GOOGLE_APPLICATION_CREDENTIALS: `${directory}/external.json` },
      seen: ["sts devstorage.read_write"],
    },
    {
      title: "a pool that knows the token in a file",
      auth: itself,
      env: {},
      seen: ["sts devstorage.read_write"],
    },
    {
      title: "an account that a pool lets it act as",
      auth: wif,
      env: {},
      seen: ["sts cloud-platform", "iamcredentials"],
    },
    {
      title: "an account, by the identity of an Azure machine",
      auth: { ...entra, entra_resource: ENTRA_RESOURCE, client_id: "some-identity" },
      env: { AZURE_POD_IDENTITY_AUTHORITY_HOST: issuers.origin },
      seen: ["entra some-identity", "sts cloud-platform", "iamcredentials"],
    },
  ];
}

async function runClient(
  { gate, directory }: GcsServers,
  auth: Mapping | null,
  env: Mapping,
): Promise<{ readonly said: string; readonly renewals: readonly unknown[] }> {
  const config = { root: BUCKET, endpoint: gate.endpoint };
  const backend = { name: "gcs", type: "gcs", config, ...(auth === null ? {} : { auth }) };
  const cacheDirectory = Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME") ?? ""}/.cache/deno`;
  const path = Deno.env.get("PATH") ?? "";
  const client = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--config", CONFIG, CLIENT, JSON.stringify(backend)],
    clearEnv: true,
    env: { PATH: path, DENO_DIR: cacheDirectory, HOME: directory, ...env },
    stdout: "piped",
    stderr: "piped",
  });
  const { success, stdout, stderr } = await client.output();
  const errors = new TextDecoder().decode(stderr);
  assert.ok(success, errors);
  assert.doesNotMatch(errors, SECRETS);
  const answer: unknown = JSON.parse(new TextDecoder().decode(stdout));
  assert.ok(typeof answer === "object" && answer !== null);
  assert.ok("said" in answer && typeof answer.said === "string");
  assert.ok("renewals" in answer && Array.isArray(answer.renewals));
  return { said: answer.said, renewals: answer.renewals };
}
