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
    WRONG_SECRET: "another",
  };
  const azure = (name: string, auth: Auth) => ({
    ...{ name, type: "azureblob", timeout: "10s", auth },
    config: { account: azurite.account, root: STORE, endpoint: azurite.endpoint },
  });
  const s3 = (name: string, auth: Auth) => ({
    ...{ name, type: "s3", timeout: "10s", auth },
    config: { root: STORE, endpoint: server.endpoint },
  });
  return { entra, vault, variables, azure, s3 };
}

/** A backend, what is found of it, and what to do. */
type Examined = readonly [backend: { readonly name: string }, found: RegExp, remedy: RegExp];

/** Checks what the doctor and the check of a mount say of each of `examined`. */
async function both(examined: readonly Examined[], variables: Auth): Promise<void> {
  const backends = examined.map(([backend]) => backend);
  const text = JSON.stringify({ mount_point: "/mnt/none", backends });
  const commands = [["ctl", "doctor", "--quick"], ["mount", "--check"]];
  const [doctor = "", check = ""] = await Promise.all(commands.map(async (words) => {
    const args = [...words, "--config", "config.yaml"];
    const { stdout, stderr } = await runProgram(args, { "config.yaml": text }, variables);
    equal((stdout + stderr).includes(CLIENT_SECRET), false, "a secret is printed");
    return stdout;
  }));
  for (const [{ name }, found, remedy] of examined) {
    match(saidOf(name, doctor), found);
    match(saidOf(name, doctor), remedy);
    match(saidOf(name, check), new RegExp(found.source.replace(/^.*?: /, "")));
  }
}

/** The lines of `output` about backend `name`. */
function saidOf(name: string, output: string): string {
  const lines = output.split("\n");
  const begin = lines.findIndex((line) => line.includes(`backend "${name}"`));
  return lines.slice(begin, begin + 3).join(" ").replace(/\s+/g, " ");
}

Deno.test("doctor and check tell why an issuer or a vault gives out nothing", async (t) => {
  await using owned = new AsyncDisposableStack();
  const { entra, vault, variables, azure, s3 } = await openWorld(owned);
  const principal = {
    ...{ method: "service_principal", tenant_id: TENANT_ID, client_id: "application" },
    ...{ authority_host: entra.authorityHost, client_secret_env: "APPLICATION_SECRET" },
  };
  const kept = { method: "static_keyvault", vault_url: vault.url };
  await t.step("to each backend for a reason of its own", async () => {
    const elsewhere = { ...principal, tenant_id: "22222222-2222-2222-2222-222222222222" };
    await both([
      [azure("good", principal), /lists its root/, /./],
      [
        azure("wrong-secret", { ...principal, client_secret_env: "WRONG_SECRET" }),
        /no credential: no access token from Entra .*AADSTS7000215/,
        /Check tenant, client id and secret of application "application"/,
      ],
      [
        azure("wrong-tenant", elsewhere),
        /no credential: no access token from Entra .*AADSTS90002/,
        /Check tenant, client id and secret/,
      ],
      [
        azure("not-logged-in", { method: "azure_cli" }),
        /no credential: no access token from Entra \(Azure CLI could not be found/,
        /Run "az login" as the mounting user/,
      ],
      [
        s3("no-such-secret", { ...kept, secret_name: "absent" }),
        /no credential: no keys \(the vault answered 404 SecretNotFound/,
        /Check secret "absent" of .*Key Vault Secrets User/,
      ],
      [
        s3("another-form", { ...kept, secret_name: "torn" }),
        /no credential: no keys \(secret "torn" is not what is wanted/,
        /Check secret "torn"/,
      ],
    ], { ...variables, PATH: "/nowhere" });
  });
  await t.step("because a secret has expired", async () => {
    entra.fail(401, { error: "invalid_client", error_description: "AADSTS7000222: expired" });
    const found = /expired credential: no access token from Entra .*AADSTS7000222/;
    await both([[azure("it", principal), found, /Renew the credential/]], variables);
  });
  await t.step("because a clock is wrong", async () => {
    entra.fail(401, { error: "invalid_client", error_description: "AADSTS700024: not of now" });
    const found = /clock skew: .*no access token from Entra .*AADSTS700024/;
    await both([[azure("it", principal), found, /clock/i]], variables);
  });
  await t.step("because the machine does not have an identity", async () => {
    entra.fail(400, { error: "invalid_request", error_description: "Identity not found" });
    const found = /no credential: no access token from Entra .*Identity not found/;
    const remedy = /Check that identity "wrong" is assigned to this machine/;
    const auth = { method: "managed_identity", client_id: "wrong" };
    await both([[azure("it", auth), found, remedy]], variables);
  });
});
