/** Several backends of one type with identities of their own: one is let out, and only that one. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { AwsSessions } from "./support/aws_sessions.ts";
import { AzureGate } from "./support/azure_gate.ts";
import { seedAzurite, startAzuriteWithTokens } from "./support/azurite.ts";
import { eventually } from "./support/eventually.ts";
import { Mounted } from "./support/mounted.ts";
import { MountReader, readDirect } from "./support/mount_reader.ts";
import { createPlace } from "./support/place.ts";
import { FORGETFUL, openEntra } from "./support/renewal_trial.ts";
import { S3Gate } from "./support/s3_gate.ts";
import { seededContent } from "./support/seeded_content.ts";
import { createTestAuthority } from "./support/test_authority.ts";
import { VaultFake } from "./support/vault_fake.ts";
import { startVersitygw } from "./support/versitygw.ts";

const STORE = "tenants";
const OBJECT = "object";
const TENANTS = ["vast-one", "vast-two"] as const;
const ACCOUNTS = ["account-one", "account-two"] as const;
const ALL = [...TENANTS, ...ACCOUNTS];
/** Requests that the others have to answer while one is let out. */
const READS_MIN = 10;

/** A mount of two tenants of S3 and two accounts of Azure, each with an identity of its own. */
async function mountAll(owned: AsyncDisposableStack) {
  const authority = owned.use(await createTestAuthority());
  const server = owned.use(await startVersitygw());
  const azurite = owned.use(await startAzuriteWithTokens(authority));
  await seedAzurite(azurite, authority, STORE, [OBJECT]);
  await server.createBucket(STORE);
  const Body = seededContent(OBJECT);
  await server.client.send(new PutObjectCommand({ Bucket: STORE, Key: OBJECT, Body }));
  const entra = owned.use(await openEntra(authority, 3_600_000));
  const gate = owned.use(await AzureGate.open(azurite, entra, authority));
  const [cert = "", key = ""] = await Promise.all(
    [authority.certificateFile, authority.keyFile].map((file) => Deno.readTextFile(file)),
  );
  const vault = owned.use(new VaultFake(entra, { cert, key }));
  const keys = TENANTS.map((name) => ({ accessKeyId: name, secretAccessKey: `${name}-secret` }));
  const s3Gate = owned.use(new S3Gate(server, new AwsSessions(), keys));
  for (const { accessKeyId, secretAccessKey } of keys) {
    const value = { access_key: accessKeyId, secret_key: secretAccessKey };
    vault.secrets.set(accessKeyId, JSON.stringify(value));
  }
  const backends = [
    ...TENANTS.map((name) => ({
      ...{ name, type: "s3", config: { root: STORE, endpoint: s3Gate.endpoint } },
      auth: { method: "static_keyvault", vault_url: vault.url, secret_name: name },
    })),
    ...ACCOUNTS.map((name) => ({
      ...{ name, type: "azureblob" },
      config: { account: azurite.account, root: STORE, endpoint: gate.endpoint },
      auth: { method: "managed_identity", client_id: name },
    })),
  ];
  const place = owned.use(await createPlace());
  const variables = {
    ...authority.trust,
    AZURE_POD_IDENTITY_AUTHORITY_HOST: entra.metadataHost,
  };
  const config = { ...FORGETFUL, backends };
  const mounted = owned.use(await Mounted.start(place, { config, variables }));
  return { mounted, entra, vault, s3Gate, keys };
}

Deno.test("a tenant or an account that is let out does not affect the others", async (t) => {
  await using owned = new AsyncDisposableStack();
  const { mounted, entra, vault, s3Gate, keys } = await mountAll(owned);
  const pathOf = (name: string) => `${mounted.path}/${name}/${OBJECT}`;
  for (const name of ALL) equal((await readDirect(pathOf(name))).kind, "read", name);

  /** Reads from `others`, while `name` is refused again and again. */
  const onlyRefused = async (name: string, others: readonly string[]) => {
    const readers = others.map((other) => new MountReader([pathOf(other)]));
    try {
      await eventually("the others have been read", async () => {
        const outcome = await readDirect(pathOf(name));
        ok(outcome.kind === "failed", `${name} is refused`);
        match(outcome.said, /Permission denied/);
        return readers.every(({ reads }) => reads >= READS_MIN);
      });
    } finally {
      for (const reader of readers) await reader.stop();
    }
    for (const [index, reader] of readers.entries()) {
      deepEqual(reader.failures, [], others[index]);
    }
    const metrics = await mounted.metrics();
    for (const backend of ALL) {
      equal(metrics.get(`warpdrive_backend_degraded{backend="${backend}"}`) ?? 0, 0, backend);
    }
    const { checks } = await mounted.health();
    for (const other of others) equal(checks.get(`backend ${other}`), "ok", other);
  };

  await t.step("a tenant whose key was withdrawn", async () => {
    s3Gate.keys.delete("vast-one");
    await onlyRefused("vast-one", ["vast-two", ...ACCOUNTS]);
  });
  await t.step("an account whose identity was taken away, while that waits", async () => {
    const [old] = keys;
    ok(old !== undefined);
    const fresh = { accessKeyId: "vast-new", secretAccessKey: "vast-new-secret" };
    s3Gate.keys.set(fresh.accessKeyId, fresh);
    const value = { access_key: fresh.accessKeyId, secret_key: fresh.secretAccessKey };
    // A vault is not asked for every refusal, so it takes seconds until this is seen.
    vault.secrets.set("vast-one", JSON.stringify(value));
    entra.refuse("account-one");
    await onlyRefused("account-one", ["vast-two", "account-two"]);
  });
  await t.step("who come back with the new key in the vault, and a token", async () => {
    entra.admit("account-one");
    for (const name of ["vast-one", "account-one"]) {
      await eventually(
        `${name} is let in`,
        async () => (await readDirect(pathOf(name))).kind === "read",
      );
    }
  });
});

Deno.test("keys that are replaced in their file are used without a new mount", async () => {
  await using owned = new AsyncDisposableStack();
  const server = owned.use(await startVersitygw());
  await server.createBucket(STORE);
  const Body = seededContent(OBJECT);
  await server.client.send(new PutObjectCommand({ Bucket: STORE, Key: OBJECT, Body }));
  const old = { accessKeyId: "old", secretAccessKey: "old-secret" };
  const fresh = { accessKeyId: "new", secretAccessKey: "new-secret" };
  const gate = owned.use(new S3Gate(server, new AwsSessions(), [old]));
  const place = owned.use(await createPlace());
  const files = { id: `${place.root}/id`, secret: `${place.root}/secret` };
  const write = async ({ accessKeyId, secretAccessKey }: typeof old) => {
    await Deno.writeTextFile(files.id, accessKeyId);
    await Deno.writeTextFile(files.secret, secretAccessKey);
  };
  await write(old);
  const auth = {
    method: "static",
    ...{ access_key_id_file: files.id, secret_access_key_file: files.secret },
  };
  const location = { root: STORE, endpoint: gate.endpoint };
  const backends = [{ name: "data", type: "s3", config: location, auth }];
  const mounted = owned.use(await Mounted.start(place, { config: { ...FORGETFUL, backends } }));
  const path = `${mounted.data}/${OBJECT}`;
  equal((await readDirect(path)).kind, "read");
  // The new ones first, as whoever rotates them does.
  await write(fresh);
  gate.keys.set(fresh.accessKeyId, fresh);
  gate.keys.delete(old.accessKeyId);
  equal((await readDirect(path)).kind, "read", "the first that is refused reads the file again");
  const counted = 'warpdrive_auth_refresh_total{provider="static",status="success"}';
  equal((await mounted.metrics()).get(counted), 2);
});
