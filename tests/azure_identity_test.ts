/** Every kind of Entra credential against fake issuers and a real Azurite over https. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { startAzuriteWithTokens } from "./support/azurite.ts";
import { startEntraFake } from "./support/entra_fake.ts";
import { createTestAuthority } from "./support/test_authority.ts";

const CLIENT = fileURLToPath(new URL("./support/azure_identity_client.ts", import.meta.url));
const CONFIG = fileURLToPath(new URL("../deno.json", import.meta.url));
const CLIENT_ID = "22222222-2222-2222-2222-222222222222";

Deno.test("AzureBackend works with managed, application and workload identities", async (t) => {
  await using authority = await createTestAuthority();
  await using azurite = await startAzuriteWithTokens(authority);
  await using entra = startEntraFake(
    await Deno.readTextFile(authority.certificateFile),
    await Deno.readTextFile(authority.keyFile),
    Date.now(),
  );
  const container = "identities";
  const env = {
    NODE_EXTRA_CA_CERTS: authority.authorityFile,
    AZURE_POD_IDENTITY_AUTHORITY_HOST: entra.metadataHost,
  };
  const tokenFile = `${authority.directory}/token`;
  await Deno.writeTextFile(tokenFile, "an.assertion.of-kubernetes");
  await runClient(env, [azurite.endpoint, container, "create", azurite.key]);

  const { tenantId, authorityHost } = entra;
  const application = [tenantId, CLIENT_ID];
  const cases: readonly [method: string, parameters: readonly string[], asked: string][] = [
    ["system_identity", [], "metadata system"],
    ["user_identity", application, `metadata ${CLIENT_ID}`],
    [
      "service_principal",
      [...application, "the secret", authorityHost],
      `authority client_credentials ${CLIENT_ID} the secret`,
    ],
    [
      "workload_identity",
      [...application, tokenFile, authorityHost],
      `authority client_credentials ${CLIENT_ID} an.assertion.of-kubernetes`,
    ],
  ];
  for (const [method, parameters, asked] of cases) {
    await t.step(method, async () => {
      const before = entra.seen.length;
      const said = await runClient(env, [azurite.endpoint, container, method, ...parameters]);
      const renewals = ["entra success"];
      assert.deepEqual(JSON.parse(said), { text: `by ${method}`, listed: true, renewals });
      assert.deepEqual(entra.seen.slice(before), [asked], "one token serves all requests");
    });
  }
});

async function runClient(env: Record<string, string>, args: readonly string[]): Promise<string> {
  const client = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--config", CONFIG, CLIENT, ...args],
    env,
    stdout: "piped",
    stderr: "piped",
  });
  const { success, stdout, stderr } = await client.output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}
