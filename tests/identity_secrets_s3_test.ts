/** Nothing that a mount writes, says or hands on has a secret in it, whatever goes wrong. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import {
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  StorageSharedKeyCredential,
} from "@azure/storage-blob";
import { programCommand } from "./cli/run_program.ts";
import { AwsSessions } from "./support/aws_sessions.ts";
import { AzureGate } from "./support/azure_gate.ts";
import { seedAzurite, startAzuriteWithTokens } from "./support/azurite.ts";
import { TENANT_ID } from "./support/entra_fake.ts";
import { startGcsServers } from "./support/gcs_place.ts";
import { ACCOUNT, ENTRA_RESOURCE, POOL, USER } from "./support/google_fake.ts";
import { Mounted } from "./support/mounted.ts";
import { readDirect } from "./support/mount_reader.ts";
import { createPlace } from "./support/place.ts";
import { AUDIENCE, CLIENT_SECRET, FORGETFUL, openEntra, ROLE } from "./support/renewal_trial.ts";
import { S3Gate } from "./support/s3_gate.ts";
import { filesBelow, formsOf, type HuntedSecret, secretsIn } from "./support/secret_hunt.ts";
import { seededContent } from "./support/seeded_content.ts";
import { StsFake } from "./support/sts_fake.ts";
import { createTestAuthority } from "./support/test_authority.ts";
import { VaultFake } from "./support/vault_fake.ts";
import { startVersitygw } from "./support/versitygw.ts";

const CONTAINER = "secrets";
const OBJECT = "object";
const STATIC_KEY = { accessKeyId: "static-id", secretAccessKey: "static/secret+access=key" };
const VAULT_KEY = { accessKeyId: "vault-id", secretAccessKey: "vault/secret+access=key" };
const POD_TOKEN = "an.assertion.of-a-pod/with+signs";
const GOOGLE_SUBJECT = "an.assertion.for-a-pool/with+signs";

/** Stores, issuers, and a configuration that uses them in every way there is. */
async function openWorld(owned: AsyncDisposableStack) {
  const authority = owned.use(await createTestAuthority());
  const [azurite, server] = await Promise.all([
    startAzuriteWithTokens(authority),
    startVersitygw(),
  ]);
  const ending = new AsyncDisposableStack();
  ending.use(azurite);
  const google = ending.use(await startGcsServers());
  await google.server.createBucket(CONTAINER);
  await google.server.upload(CONTAINER, OBJECT, seededContent(OBJECT));
  // Ended twice, they are ended once.
  owned.use(ending);
  owned.use(server);
  await seedAzurite(azurite, authority, CONTAINER, [OBJECT]);
  await server.createBucket(CONTAINER);
  const Body = seededContent(OBJECT);
  await server.client.send(new PutObjectCommand({ Bucket: CONTAINER, Key: OBJECT, Body }));
  const entra = owned.use(await openEntra(authority, 6_000));
  google.issuers.lifetimeMs = 6_000;
  google.issuers.trusts = (token) =>
    token === GOOGLE_SUBJECT || entra.judge(token, ENTRA_RESOURCE) === "good";
  const azureGate = owned.use(await AzureGate.open(azurite, entra, authority));
  const sessions = new AwsSessions();
  const judge = (token: string) =>
    token === POD_TOKEN ? "good" as const : entra.judge(token, AUDIENCE);
  const sts = owned.use(new StsFake({ sessions, lifetimeMs: 6_000, judge }));
  const s3Gate = owned.use(new S3Gate(server, sessions, [STATIC_KEY, VAULT_KEY]));
  const [cert, key] = await Promise.all(
    [authority.certificateFile, authority.keyFile].map((file) => Deno.readTextFile(file)),
  );
  const vault = owned.use(new VaultFake(entra, { cert: cert ?? "", key: key ?? "" }));
  vault.secrets.set(
    "vast",
    JSON.stringify({
      access_key: VAULT_KEY.accessKeyId,
      secret_key: VAULT_KEY.secretAccessKey,
    }),
  );
  const sas = generateBlobSASQueryParameters(
    {
      containerName: CONTAINER,
      permissions: ContainerSASPermissions.parse("rl"),
      expiresOn: new Date(Date.now() + 3_600_000),
    },
    new StorageSharedKeyCredential(azurite.account, azurite.key),
  );
  const stores = { azurite, ending, azureGate, s3Gate, google };
  return { authority, ...stores, entra, sessions, sts, vault, sas };
}

type World = Awaited<ReturnType<typeof openWorld>>;

/** One backend for each way to be let in; files of secrets are in `directory`. */
async function backendsOf(world: World, directory: string) {
  const { azurite, azureGate, entra, sts, s3Gate, vault, sas, google } = world;
  const { issuers, gate, keyFile } = google;
  const files = {
    sas: sas.toString(),
    secret: STATIC_KEY.secretAccessKey,
    pod: POD_TOKEN,
    subject: GOOGLE_SUBJECT,
    user: JSON.stringify({
      ...{ type: "authorized_user", token_uri: `${issuers.origin}/token` },
      ...USER,
    }),
  };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${directory}/${name}`, text);
  }
  const azure = (name: string, endpoint: string, auth: Readonly<Record<string, string>>) => ({
    ...{ name, type: "azureblob", timeout: "5s", auth },
    config: { account: azurite.account, root: CONTAINER, endpoint },
  });
  const s3 = (name: string, auth: Readonly<Record<string, string>>) => ({
    ...{ name, type: "s3", timeout: "5s", auth },
    config: { root: CONTAINER, endpoint: s3Gate.endpoint, region: "us-east-1" },
  });
  const application = {
    ...{ method: "service_principal", tenant_id: TENANT_ID, client_id: "application" },
    ...{ authority_host: entra.authorityHost, client_secret_env: "APPLICATION_SECRET" },
  };
  const role = { method: "oidc_federation", role_arn: ROLE, sts_endpoint: sts.endpoint };
  const gcs = (name: string, auth: Readonly<Record<string, string>>) => ({
    ...{ name, type: "gcs", timeout: "5s", auth },
    config: { root: CONTAINER, endpoint: gate.endpoint },
  });
  const pool = {
    ...{ method: "gcp_wif", audience: POOL, service_account: ACCOUNT },
    ...{ sts_url: `${issuers.origin}/v1/token`, iam_endpoint: issuers.origin },
  };
  return [
    gcs("gcs-key", { method: "service_account", key_file: keyFile }),
    // The environment names the file of a user.
    gcs("gcs-user", { method: "default" }),
    gcs("gcs-pod", { ...pool, token_file: `${directory}/subject` }),
    gcs("gcs-machine", { ...pool, entra_resource: ENTRA_RESOURCE }),
    azure("azure-key", azurite.endpoint, { method: "static", account_key_env: "STORE_KEY" }),
    azure("azure-sas", azurite.endpoint, { method: "static", sas_file: `${directory}/sas` }),
    azure("azure-application", azureGate.endpoint, application),
    azure("azure-machine", azureGate.endpoint, { method: "managed_identity" }),
    azure("azure-cli", azureGate.endpoint, { method: "azure_cli" }),
    s3("s3-static", {
      ...{ method: "static", access_key_id_env: "STATIC_ID" },
      secret_access_key_file: `${directory}/secret`,
    }),
    s3("s3-vault", { method: "static_keyvault", vault_url: vault.url, secret_name: "vast" }),
    s3("s3-federated", { ...role, audience: AUDIENCE }),
    s3("s3-pod", { ...role, token_file: `${directory}/pod` }),
  ];
}

/** An Azure CLI that writes down what it was started with. */
async function writeCli(directory: string, { entra }: World): Promise<string> {
  const query = "api-version=2018-02-01&client_id=cli&resource=$6";
  const script = `#!/bin/sh
    tr '\\0' '\\n' < /proc/$$/cmdline > ${directory}/child.txt
    tr '\\0' '\\n' < /proc/$$/environ >> ${directory}/child.txt
    curl -s -H metadata:true "${entra.metadataHost}/metadata/identity/oauth2/token?${query}" |
    sed 's/"access_token"/"accessToken"/; s/"expires_on":"\\([0-9]*\\)"/"expires_on":\\1/'`;
  await Deno.writeTextFile(`${directory}/az`, script, { mode: 0o755 });
  return `${directory}:${Deno.env.get("PATH") ?? ""}`;
}

function secretsOf(world: World): readonly HuntedSecret[] {
  const { azurite, sas, entra, sessions, google: { issuers, tokens } } = world;
  const { private_key: key = "" } = issuers.key();
  return [
    { name: "the key of an account", value: key },
    ...key.split("\n").filter((line) => line !== "" && !line.startsWith("-----"))
      .map((value) => ({ name: "a line of the key of an account", value })),
    { name: "the secret of a user's application", value: USER.client_secret },
    { name: "the refresh token of a user", value: USER.refresh_token },
    { name: "the token that a pool trusts", value: GOOGLE_SUBJECT },
    ...issuers.assertions.map((value) => ({ name: "what an account signed", value })),
    ...tokens.tokens.map((value) => ({ name: "a token of Google", value })),
    { name: "the account key", value: azurite.key },
    { name: "the signature of the SAS", value: sas.signature },
    { name: "the secret of the application", value: CLIENT_SECRET },
    { name: "the static secret key", value: STATIC_KEY.secretAccessKey },
    { name: "the secret key in the vault", value: VAULT_KEY.secretAccessKey },
    { name: "the token of the pod", value: POD_TOKEN },
    ...entra.tokens.map((value) => ({ name: "a token of Entra", value })),
    ...sessions.all.flatMap(({ secretAccessKey, sessionToken }) => [
      { name: "the secret key of a session", value: secretAccessKey },
      { name: "the token of a session", value: sessionToken },
    ]),
  ];
}

/** A mount of everything, and what it wrote and said so far. */
class WatchedMount {
  readonly written: (readonly [where: string, bytes: Uint8Array])[] = [];
  readonly #mounted: Mounted;
  readonly #variables: Readonly<Record<string, string>>;

  constructor(mounted: Mounted, variables: Readonly<Record<string, string>>) {
    this.#mounted = mounted;
    this.#variables = variables;
  }

  /** Asks everything there is to ask, in one of the forms: they show the same. */
  async look(format: "table" | "json" | "csv"): Promise<void> {
    const config = `${this.#mounted.place.root}/config.yaml`;
    await Promise.all([
      this.#run("ctl", "status", "--format", format, this.#mounted.path),
      this.#run("ctl", "doctor", "--quick", "--format", format, "--config", config),
      this.#run("mount", "--check", "--debug", "--config", config),
    ]);
    for (const page of ["metrics", "healthz", "livez"]) {
      this.written.push([page, new TextEncoder().encode(await this.#mounted.page(page))]);
    }
    const { pid } = this.#mounted.program;
    this.written.push(["the command line", await Deno.readFile(`/proc/${pid}/cmdline`)]);
  }

  async #run(...words: readonly string[]): Promise<void> {
    const { stdout, stderr } = await programCommand(words, "/", this.#variables).output();
    const command = words.join(" ");
    this.written.push([`${command} (output)`, stdout], [`${command} (errors)`, stderr]);
  }
}

Deno.test("no secret is in anything that a mount wrote, said or handed on", async () => {
  await using owned = new AsyncDisposableStack();
  const world = await openWorld(owned);
  const { authority, azurite, entra, sts, s3Gate, vault, google } = world;
  const place = owned.use(await createPlace());
  const secretFiles = `${authority.directory}/secrets`;
  await Deno.mkdir(secretFiles);
  const backends = await backendsOf(world, secretFiles);
  const variables = {
    ...authority.trust,
    AZURE_POD_IDENTITY_AUTHORITY_HOST: entra.metadataHost,
    APPLICATION_SECRET: CLIENT_SECRET,
    STORE_KEY: azurite.key,
    STATIC_ID: STATIC_KEY.accessKeyId,
    GOOGLE_APPLICATION_CREDENTIALS: `${secretFiles}/user`,
    PATH: await writeCli(secretFiles, world),
  };
  const config = {
    ...{ ...FORGETFUL, backends, fuse_debug: true },
    cache: { path: `${place.root}/cache`, max_size: "64MiB", stale_ttl: "0" },
  };
  const settings = { config, variables, args: ["--debug"] };
  const mounted = owned.use(await Mounted.start(place, settings));
  const watched = new WatchedMount(mounted, variables);
  const { written } = watched;
  const readAll = async () =>
    await Promise.all(backends.map(({ name }) => readDirect(`${mounted.path}/${name}/${OBJECT}`)));

  const good = await readAll();
  deepEqual(good.filter(({ kind }) => kind === "failed"), [], "everybody is let in");
  await watched.look("table");
  // Now all that can be refused is: tokens, keys, sessions, secrets.
  entra.revokeAll();
  entra.fail(401, { error: "invalid_client", error_description: "AADSTS7000222: expired" });
  world.sessions.revokeAll();
  sts.fail(403, "AccessDenied");
  s3Gate.keys.clear();
  vault.secrets.set("vast", `{"access_key": "x", "secret": "${VAULT_KEY.secretAccessKey}"`);
  google.tokens.revoke();
  google.issuers.refusal = "Account disabled";
  await Deno.writeTextFile(google.keyFile, JSON.stringify(google.issuers.key()).slice(0, -1));
  await readAll();
  await watched.look("json");
  // Then nobody answers at all.
  await world.ending.disposeAsync();
  await readAll();
  await watched.look("csv");
  ok(mounted.program.rawLog.includes("Answer "), "failures were logged");
  written.push(["the log", new TextEncoder().encode(mounted.program.rawLog)]);
  // What the kernel shows below the mount point is data.
  for await (const file of filesBelow(place.root, mounted.path)) written.push(file);
  const child = await Deno.readFile(`${secretFiles}/child.txt`);
  ok(new TextDecoder().decode(child).includes("get-access-token"));
  written.push(["command line and environment of the Azure CLI", child]);
  const secrets = secretsOf(world);
  ok(secrets.length > 50, `${secrets.length} secrets`);
  deepEqual(written.flatMap(([where, bytes]) => secretsIn(where, bytes, secrets)), []);
});

Deno.test("a secret is found in whichever form it is written", () => {
  const secret = { name: "it", value: "a/b+c=d e" };
  for (const form of formsOf(secret.value)) {
    const text = new TextEncoder().encode(`before ${form} after`);
    deepEqual(secretsIn("a text", text, [secret]), ["it in a text"]);
  }
  equal(secretsIn("a text", new TextEncoder().encode("a/b+c"), [secret]).length, 0);
});
