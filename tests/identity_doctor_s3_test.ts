/** `ctl doctor` and `mount --check` on issuers and vaults that give out nothing. */
import { equal, match } from "node:assert/strict";
import { runProgram } from "./cli/run_program.ts";
import { seedAzurite, startAzuriteWithTokens } from "./support/azurite.ts";
import { TENANT_ID } from "./support/entra_fake.ts";
import { CLIENT_SECRET, openEntra } from "./support/renewal_trial.ts";
import { createTestAuthority } from "./support/test_authority.ts";
import { VaultFake } from "./support/vault_fake.ts";
import { startVersitygw } from "./support/versitygw.ts";

const STORE = "examined";

type Auth = Readonly<Record<string, string>>;

/** Issuer, vault and stores that are examined. */
async function openWorld(owned: AsyncDisposableStack) {
  const authority = owned.use(await createTestAuthority());
  const azurite = owned.use(await startAzuriteWithTokens(authority));
  await seedAzurite(azurite, authority, STORE, ["object"]);
  const server = owned.use(await startVersitygw());
  await server.createBucket(STORE);
  const entra = owned.use(await openEntra(authority, 3_600_000));
  const vault = owned.use(
    new VaultFake(entra, {
      cert: await Deno.readTextFile(authority.certificateFile),
      key: await Deno.readTextFile(authority.keyFile),
    }),
  );
  vault.secrets.set("torn", `{"access_key": "id", "secret": "${CLIENT_SECRET}"}`);
  const variables = {
    ...authority.trust,
    AZURE_POD_IDENTITY_AUTHORITY_HOST: entra.metadataHost,
    APPLICATION_SECRET: CLIENT_SECRET,
  };
  const azure = (auth: Auth) => ({
    ...{ name: "it", type: "azureblob", timeout: "10s", auth },
    config: { account: azurite.account, root: STORE, endpoint: azurite.endpoint },
  });
  const s3 = (auth: Auth) => ({
    ...{ name: "it", type: "s3", timeout: "10s", auth },
    config: { root: STORE, endpoint: server.endpoint },
  });
  return { entra, vault, variables, azure, s3 };
}

/** What both say of `backend`, the doctor first. */
async function examine(backend: unknown, variables: Auth): Promise<readonly string[]> {
  const text = JSON.stringify({ mount_point: "/mnt/none", backends: [backend] });
  const commands = [["ctl", "doctor", "--quick"], ["mount", "--check"]];
  return await Promise.all(commands.map(async (words) => {
    const args = [...words, "--config", "config.yaml"];
    const { stdout, stderr } = await runProgram(args, { "config.yaml": text }, variables);
    equal((stdout + stderr).includes(CLIENT_SECRET), false, "a secret is printed");
    const lines = stdout.split("\n");
    const begin = lines.findIndex((line) => line.includes('backend "it"'));
    return lines.slice(begin, begin + 3).join(" ").replace(/\s+/g, " ");
  }));
}

/** Checks what the doctor says of `backend`: what is found, which the check says too, and more. */
async function both(found: RegExp, remedy: RegExp, backend: unknown, variables: Auth) {
  const [doctor = "", check = ""] = await examine(backend, variables);
  match(doctor, found);
  match(doctor, remedy);
  match(check, new RegExp(found.source.replace(/^.*?: /, "")));
}

Deno.test("doctor and check tell why an application or a user gets no token", async (t) => {
  await using owned = new AsyncDisposableStack();
  const { entra, variables, azure } = await openWorld(owned);
  const principal = {
    ...{ method: "service_principal", tenant_id: TENANT_ID, client_id: "application" },
    ...{ authority_host: entra.authorityHost, client_secret_env: "APPLICATION_SECRET" },
  };
  await t.step("a good one does", async () => {
    await both(/lists its root/, /./, azure(principal), variables);
  });
  await t.step("a wrong secret", async () => {
    const found = /no credential: no access token from Entra .*AADSTS7000215/;
    const remedy = /Check tenant, client id and secret of application "application"/;
    await both(found, remedy, azure(principal), { ...variables, APPLICATION_SECRET: "another" });
  });
  await t.step("a wrong tenant", async () => {
    const auth = { ...principal, tenant_id: "22222222-2222-2222-2222-222222222222" };
    const found = /no credential: no access token from Entra .*AADSTS90002/;
    await both(found, /Check tenant, client id and secret/, azure(auth), variables);
  });
  await t.step("a user who is not logged in", async () => {
    const found = /no credential: no access token from Entra \(Azure CLI could not be found/;
    const remedy = /Run "az login" as the mounting user/;
    await both(found, remedy, azure({ method: "azure_cli" }), { ...variables, PATH: "/nowhere" });
  });
  await t.step("a secret that has expired", async () => {
    entra.fail(401, { error: "invalid_client", error_description: "AADSTS7000222: expired" });
    const found = /expired credential: no access token from Entra .*AADSTS7000222/;
    await both(found, /Renew the credential/, azure(principal), variables);
  });
  await t.step("a wrong clock", async () => {
    entra.fail(401, { error: "invalid_client", error_description: "AADSTS700024: not of now" });
    const found = /clock skew: .*no access token from Entra .*AADSTS700024/;
    await both(found, /clock/i, azure(principal), variables);
  });
  await t.step("an identity that the machine does not have", async () => {
    entra.fail(400, { error: "invalid_request", error_description: "Identity not found" });
    const found = /no credential: no access token from Entra .*Identity not found/;
    const remedy = /Check that identity "wrong" is assigned to this machine/;
    const auth = { method: "managed_identity", client_id: "wrong" };
    await both(found, remedy, azure(auth), variables);
  });
});

Deno.test("doctor and check tell why there are no keys in a vault", async (t) => {
  await using owned = new AsyncDisposableStack();
  const { vault, variables, s3 } = await openWorld(owned);
  const kept = { method: "static_keyvault", vault_url: vault.url };
  await t.step("a secret that is not in it", async () => {
    const found = /no credential: no keys \(the vault answered 404 SecretNotFound/;
    const remedy = /Check secret "absent" of .*Key Vault Secrets User/;
    await both(found, remedy, s3({ ...kept, secret_name: "absent" }), variables);
  });
  await t.step("a secret of another form", async () => {
    const found = /no credential: no keys \(secret "torn" is not what is wanted/;
    await both(found, /Check secret "torn"/, s3({ ...kept, secret_name: "torn" }), variables);
  });
});
