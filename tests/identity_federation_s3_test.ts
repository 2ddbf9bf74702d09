/** Keys of S3 stores that come by way of Entra: roles for its tokens, and secrets in a vault. */
import { deepEqual, equal, match } from "node:assert/strict";
import { AwsSessions } from "./support/aws_sessions.ts";
import { runIdentityClient } from "./support/identity_client.ts";
import { AUDIENCE, openEntra, ROLE } from "./support/renewal_trial.ts";
import { S3Gate } from "./support/s3_gate.ts";
import { StsFake } from "./support/sts_fake.ts";
import { createTestAuthority } from "./support/test_authority.ts";
import { VaultFake } from "./support/vault_fake.ts";
import { startVersitygw } from "./support/versitygw.ts";

const BUCKET = "federated";
const KEY = { accessKeyId: "tenant-key", secretAccessKey: "tenant/secret+key=" };

async function openWorld(owned: AsyncDisposableStack) {
  const authority = owned.use(await createTestAuthority());
  const server = owned.use(await startVersitygw());
  await server.createBucket(BUCKET);
  const entra = owned.use(await openEntra(authority, 3_600_000));
  const sessions = new AwsSessions();
  const sts = owned.use(
    new StsFake({
      sessions,
      lifetimeMs: 3_600_000,
      judge: (token) => token === "a.file.token" ? "good" : entra.judge(token, AUDIENCE),
    }),
  );
  const gate = owned.use(new S3Gate(server, sessions, [KEY]));
  const vault = owned.use(
    new VaultFake(entra, {
      cert: await Deno.readTextFile(authority.certificateFile),
      key: await Deno.readTextFile(authority.keyFile),
    }),
  );
  const run = async (auth: Readonly<Record<string, string>>) =>
    await runIdentityClient("s3", {
      name: "tenant",
      type: "s3",
      config: { root: BUCKET, endpoint: gate.endpoint, region: "us-east-1" },
      auth,
    }, {
      ...authority.trust,
      AZURE_POD_IDENTITY_AUTHORITY_HOST: entra.metadataHost,
    });
  return { authority, entra, sts, gate, vault, run };
}

Deno.test("S3Backend takes a role for a token of Entra, or of a file", async (t) => {
  await using owned = new AsyncDisposableStack();
  const { authority, entra, sts, run } = await openWorld(owned);
  const role = { method: "oidc_federation", role_arn: ROLE, sts_endpoint: sts.endpoint };
  await t.step("of Entra, for an identity of the machine", async () => {
    const answer = await run({ ...role, audience: AUDIENCE, client_id: "some-identity" });
    deepEqual(answer, { said: "hello", renewals: ["entra success", "aws_sts success"] });
    deepEqual(entra.seen, [`metadata some-identity ${AUDIENCE}`]);
    deepEqual(sts.seen, [`${ROLE} warpdrive-tenant 3600`]);
  });
  await t.step("of a file", async () => {
    const file = `${authority.directory}/jwt`;
    await Deno.writeTextFile(file, "a.file.token\n");
    const answer = await run({ ...role, token_file: file });
    deepEqual(answer, { said: "hello", renewals: ["aws_sts success"] });
  });
  await t.step("not of an issuer that the role does not trust", async () => {
    const { said, renewals } = await run({ ...role, audience: "api://another" });
    match(said, /^denied: .*no AWS credentials \(InvalidIdentityTokenException: No such issuer\)/);
    match(said, /trust policy of "arn:aws:iam::123456789012:role\/reader"/);
    deepEqual(renewals.filter((renewal) => renewal.endsWith("failure")), ["aws_sts failure"]);
  });
  await t.step("once STS has got over being busy", async () => {
    sts.fail(503, "ServiceUnavailable", 1);
    const { said, renewals } = await run({ ...role, audience: AUDIENCE });
    equal(said, "hello");
    deepEqual(renewals, ["entra success", "aws_sts failure", "aws_sts success"]);
  });
});

Deno.test("S3Backend takes its keys from a vault", async (t) => {
  await using owned = new AsyncDisposableStack();
  const { entra, vault, run } = await openWorld(owned);
  const auth = { method: "static_keyvault", vault_url: vault.url, secret_name: "vast" };
  const value = { access_key: KEY.accessKeyId, secret_key: KEY.secretAccessKey };
  await t.step("as they are in it", async () => {
    vault.secrets.set("vast", JSON.stringify(value));
    const answer = await run(auth);
    deepEqual(answer, { said: "hello", renewals: ["entra success", "keyvault success"] });
    deepEqual(vault.seen, ["vast"], "once for all requests");
    deepEqual(entra.seen, ["metadata system https://vault.azure.net"]);
  });
  await t.step("says that there is no such secret", async () => {
    const { said } = await run({ ...auth, secret_name: "absent" });
    match(said, /^denied: .*no keys \(the vault answered 404 SecretNotFound .*absent/);
    match(said, /Check secret "absent" of https:.*Key Vault Secrets User/);
  });
  await t.step("says that a secret is not what is wanted, and nothing of it", async () => {
    for (const text of ["hunter2", '{"access_key": "hunter2"}', '{"access_key":"hunter2"']) {
      vault.secrets.set("vast", text);
      const { said } = await run(auth);
      match(said, /^denied: .*secret "vast" is not what is wanted: \{"access_key": "…"/);
      equal(said.includes("hunter2"), false);
    }
  });
  await t.step("says that the identity gets no token", async () => {
    entra.fail(400, { error: "invalid_request", error_description: "Identity not found" });
    const { said } = await run(auth);
    match(said, /^denied: .*no access token from Entra .*Identity not found/);
  });
});
