/** Every kind of Entra credential against fake issuers and a real Azurite over https. */
import assert from "node:assert/strict";
import {
  type Azurite,
  seedAzurite,
  startAzurite,
  startAzuriteWithTokens,
} from "./support/azurite.ts";
import { EntraFake, TENANT_ID } from "./support/entra_fake.ts";
import { type IdentityAnswer, runIdentityClient } from "./support/identity_client.ts";
import { createTestAuthority, makeApplicationCertificate } from "./support/test_authority.ts";

const CLIENT_ID = "22222222-2222-2222-2222-222222222222";
const RESOURCE_ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/" +
  "userAssignedIdentities/reader";
const STORAGE = "https://storage.azure.com";
const CONTAINER = "identities";

type Auth = Readonly<Record<string, string>>;

/** Issuers, a store, and the files that credentials are made of. */
async function openWorld(owned: AsyncDisposableStack) {
  const authority = owned.use(await createTestAuthority());
  const azurite = owned.use(await startAzuriteWithTokens(authority));
  await seedAzurite(azurite, authority, CONTAINER, []);
  const application = await makeApplicationCertificate(authority);
  const entra = owned.use(
    new EntraFake({
      certificate: await Deno.readTextFile(authority.certificateFile),
      key: await Deno.readTextFile(authority.keyFile),
      lifetimeMs: 3_600_000,
      clientSecret: "the secret",
      applicationKey: await Deno.readTextFile(application.publicKeyFile),
    }),
  );
  const tokenFile = `${authority.directory}/token`;
  await Deno.writeTextFile(tokenFile, "an.assertion.of-kubernetes");
  const env = {
    ...authority.trust,
    AZURE_POD_IDENTITY_AUTHORITY_HOST: entra.metadataHost,
    SECRET: "the secret",
    WRONG_SECRET: "another secret",
  };
  return { authority, azurite, entra, application, tokenFile, env };
}

Deno.test("AzureBackend works with every identity that Entra knows", async (t) => {
  await using owned = new AsyncDisposableStack();
  const { authority, azurite, entra, application, tokenFile, env } = await openWorld(owned);
  const principal = {
    ...{ method: "service_principal", tenant_id: TENANT_ID, client_id: CLIENT_ID },
    authority_host: entra.authorityHost,
  };
  const asked = (proof: string) => `authority ${CLIENT_ID} ${proof} ${STORAGE}`;
  const cases: readonly (readonly [title: string, auth: Auth, asked: string | null])[] = [
    ["the machine", { method: "managed_identity" }, `metadata system ${STORAGE}`],
    [
      "an identity of the machine, by client ID",
      { method: "managed_identity", client_id: CLIENT_ID },
      `metadata ${CLIENT_ID} ${STORAGE}`,
    ],
    [
      "an identity of the machine, by resource ID",
      { method: "managed_identity", resource_id: RESOURCE_ID },
      `metadata ${RESOURCE_ID} ${STORAGE}`,
    ],
    ["an application", { ...principal, client_secret_env: "SECRET" }, asked("secret")],
    [
      "an application with a certificate",
      { ...principal, client_certificate_file: application.file },
      asked("certificate"),
    ],
    [
      "a pod",
      {
        ...{ method: "workload_identity", tenant_id: TENANT_ID, client_id: CLIENT_ID },
        ...{ token_file: tokenFile, authority_host: entra.authorityHost },
      },
      asked("an.assertion.of-kubernetes"),
    ],
    ["the user of the Azure CLI", { method: "azure_cli" }, `metadata cli ${STORAGE}`],
  ];
  const path = await writeCli(authority.directory, entra.metadataHost);
  for (const [title, auth, wanted] of cases) {
    await t.step(title, async () => {
      const before = entra.seen.length;
      const answer = await runClient(azurite, auth, { ...env, PATH: path });
      assert.deepEqual(answer, { said: "hello", renewals: ["entra success"] });
      assert.deepEqual(entra.seen.slice(before), [wanted], "one token serves all requests");
    });
  }
});

Deno.test("AzureBackend says who was refused, and what to look at", async (t) => {
  await using owned = new AsyncDisposableStack();
  const { authority, azurite, entra, env } = await openWorld(owned);
  const principal = {
    ...{ method: "service_principal", tenant_id: TENANT_ID, client_id: CLIENT_ID },
    ...{ authority_host: entra.authorityHost, client_secret_env: "SECRET" },
  };
  await t.step("an application with a wrong secret", async () => {
    const auth = { ...principal, client_secret_env: "WRONG_SECRET" };
    const { said, renewals } = await runClient(azurite, auth, env);
    assert.match(said, /^denied: .*no access token from Entra .*AADSTS7000215/);
    assert.match(said, new RegExp(`Check tenant, client id and secret .*"${CLIENT_ID}"`));
    assert.deepEqual(renewals, ["entra failure"], "it is not asked again");
  });
  await t.step("an application of another tenant", async () => {
    const auth = { ...principal, tenant_id: "33333333-3333-3333-3333-333333333333" };
    const { said } = await runClient(azurite, auth, env);
    assert.match(said, /^denied: .*AADSTS90002: Tenant not found.*Check tenant/);
  });
  await t.step("nobody who is logged in with the Azure CLI", async () => {
    const path = await writeCli(authority.directory, null);
    const { said } = await runClient(azurite, { method: "azure_cli" }, { ...env, PATH: path });
    assert.match(said, /^denied: .*Please run 'az login'.*Run "az login" as the mounting user/);
  });
  await t.step("nobody, because there is no Azure CLI", async () => {
    const bare = { ...env, PATH: "/nowhere" };
    const { said } = await runClient(azurite, { method: "azure_cli" }, bare);
    assert.match(said, /^denied: .*Azure CLI could not be found/);
  });
  await t.step("a machine whose metadata service is down", async () => {
    entra.fail(503, { error: "busy" }, 1);
    const { said, renewals } = await runClient(azurite, { method: "managed_identity" }, env);
    assert.equal(said, "hello");
    assert.deepEqual(renewals, ["entra failure", "entra success"], "it is asked again");
  });
});

Deno.test("AzureBackend without credentials counts that it has none", async () => {
  await using azurite = await startAzurite();
  const { renewals } = await runClient(azurite, { method: "none" }, {});
  assert.deepEqual(renewals, ["none success"]);
});

/** A program `az` that gives out a token, or else wants a login; the PATH to find it on. */
async function writeCli(directory: string, metadataHost: string | null): Promise<string> {
  const bin = `${directory}/bin-${metadataHost === null ? "out" : "in"}`;
  await Deno.mkdir(bin, { recursive: true });
  const query = "api-version=2018-02-01&client_id=cli&resource=$RESOURCE";
  const script = metadataHost === null
    ? `echo "ERROR: Please run 'az login' to setup account." >&2; exit 1`
    : `RESOURCE=$6
       curl -s -H metadata:true "${metadataHost}/metadata/identity/oauth2/token?${query}" |
       sed 's/"access_token"/"accessToken"/; s/"expires_on":"\\([0-9]*\\)"/"expires_on":\\1/'`;
  await Deno.writeTextFile(`${bin}/az`, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return `${bin}:${Deno.env.get("PATH") ?? ""}`;
}

async function runClient(
  { endpoint, account }: Azurite,
  auth: Auth,
  env: Readonly<Record<string, string>>,
): Promise<IdentityAnswer> {
  const config = { account, root: CONTAINER, endpoint };
  return await runIdentityClient("azure", { name: "azure", type: "azureblob", config, auth }, env);
}
