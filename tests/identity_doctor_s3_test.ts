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

Deno.test("doctor and check tell what keeps a credential from being had", async (t) => {
  await using authority = await createTestAuthority();
  await using azurite = await startAzuriteWithTokens(authority);
  await seedAzurite(azurite, authority, STORE, ["object"]);
  await using server = await startVersitygw();
  await server.createBucket(STORE);
  await using entra = await openEntra(authority, 3_600_000);
  await using vault = new VaultFake(entra, {
    cert: await Deno.readTextFile(authority.certificateFile),
    key: await Deno.readTextFile(authority.keyFile),
  });
  vault.secrets.set("torn", `{"access_key": "id", "secret": "${CLIENT_SECRET}"}`);
  const { account, endpoint } = azurite;
  const azure = (auth: Auth) => ({
    ...{ name: "it", type: "azureblob", timeout: "10s", auth },
    config: { account, root: STORE, endpoint },
  });
  const s3 = (auth: Auth) => ({
    ...{ name: "it", type: "s3", timeout: "10s", auth },
    config: { root: STORE, endpoint: server.endpoint },
  });
  const principal = {
    ...{ method: "service_principal", tenant_id: TENANT_ID, client_id: "application" },
    ...{ authority_host: entra.authorityHost, client_secret_env: "APPLICATION_SECRET" },
  };
  const kept = { method: "static_keyvault", vault_url: vault.url };

  /** What both say of `backend`, the doctor first. */
  const examine = async (backend: unknown, more: Auth = {}): Promise<readonly string[]> => {
    const text = JSON.stringify({ mount_point: "/mnt/none", backends: [backend] });
    const variables = {
      NODE_EXTRA_CA_CERTS: authority.authorityFile,
      AZURE_POD_IDENTITY_AUTHORITY_HOST: entra.metadataHost,
      APPLICATION_SECRET: CLIENT_SECRET,
      ...more,
    };
    const commands = [["ctl", "doctor", "--quick"], ["mount", "--check"]];
    return await Promise.all(commands.map(async (words) => {
      const args = [...words, "--config", "config.yaml"];
      const { stdout, stderr } = await runProgram(args, { "config.yaml": text }, variables);
      equal((stdout + stderr).includes(CLIENT_SECRET), false, "a secret is printed");
      const lines = stdout.split("\n");
      const begin = lines.findIndex((line) => line.includes('backend "it"'));
      return lines.slice(begin, begin + 3).join(" ").replace(/\s+/g, " ");
    }));
  };
  const both = async (
    title: string,
    found: RegExp,
    remedy: RegExp,
    backend: unknown,
    more: Auth = {},
  ) => {
    await t.step(title, async () => {
      const [doctor = "", check = ""] = await examine(backend, more);
      match(doctor, found);
      match(doctor, remedy);
      match(check, new RegExp(found.source.replace(/^.*?: /, "")));
    });
  };

  await both("a good one", /lists its root/, /./, azure(principal));
  await both(
    "a wrong secret",
    /no credential: no access token from Entra .*AADSTS7000215/,
    /Check tenant, client id and secret of application "application"/,
    azure(principal),
    { APPLICATION_SECRET: "another" },
  );
  await both(
    "a wrong tenant",
    /no credential: no access token from Entra .*AADSTS90002/,
    /Check tenant, client id and secret/,
    azure({ ...principal, tenant_id: "22222222-2222-2222-2222-222222222222" }),
  );
  await both(
    "a user who is not logged in",
    /no credential: no access token from Entra \(Azure CLI could not be found/,
    /Run "az login" as the mounting user/,
    azure({ method: "azure_cli" }),
    { PATH: "/nowhere" },
  );
  await both(
    "a secret that is not in the vault",
    /no credential: no keys \(the vault answered 404 SecretNotFound/,
    /Check secret "absent" of .*Key Vault Secrets User/,
    s3({ ...kept, secret_name: "absent" }),
  );
  await both(
    "a secret of another form",
    /no credential: no keys \(secret "torn" is not what is wanted/,
    /Check secret "torn"/,
    s3({ ...kept, secret_name: "torn" }),
  );
  entra.fail(401, { error: "invalid_client", error_description: "AADSTS7000222: keys expired" });
  await both(
    "a secret that has expired",
    /expired credential: no access token from Entra .*AADSTS7000222/,
    /Renew the credential/,
    azure(principal),
  );
  entra.fail(401, { error: "invalid_client", error_description: "AADSTS700024: not in its time" });
  await both(
    "a wrong clock",
    /clock skew: .*no access token from Entra .*AADSTS700024/,
    /clock/i,
    azure(principal),
  );
  entra.fail(400, { error: "invalid_request", error_description: "Identity not found" });
  await both(
    "an identity that the machine does not have",
    /no credential: no access token from Entra .*Identity not found/,
    /Check that identity "wrong" is assigned to this machine/,
    azure({ method: "managed_identity", client_id: "wrong" }),
  );
});
