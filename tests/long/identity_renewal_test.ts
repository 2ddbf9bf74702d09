/**
 * Credentials that end, for as long as it takes to believe it: tokens of 20 s over three minutes of
 * reads, an STS that fails, and a real one that checks signatures.
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { runProgram } from "../cli/run_program.ts";
import { eventually } from "../support/eventually.ts";
import { startMinioWithIssuer } from "../support/minio.ts";
import { readDirect } from "../support/mount_reader.ts";
import { Mounted } from "../support/mounted.ts";
import { createPlace } from "../support/place.ts";
import { FORGETFUL, mountAzure, mountS3, readFor } from "../support/renewal_trial.ts";

const FAILED = 'warpdrive_auth_refresh_total{provider="aws_sts",status="failure"}';
const LIFETIME_MS = 20_000;
const TRIAL_MS = 180_000;
const TEST_MS_MAX = 600_000;

Deno.test("tokens of 20 s are renewed for three minutes, and no read fails", async () => {
  await using world = await mountAzure(LIFETIME_MS, TEST_MS_MAX);
  const { reads, failures } = await readFor(world, TRIAL_MS);
  deepEqual(failures, []);
  deepEqual(world.gate.refused, []);
  const given = world.entra.tokens.length;
  ok(given >= 10 && reads > 500, `${given} tokens, ${reads} reads`);
});

Deno.test("sessions of 20 s are renewed for three minutes, and no read fails", async () => {
  await using world = await mountS3(LIFETIME_MS, TEST_MS_MAX);
  const { reads, failures } = await readFor(world, TRIAL_MS);
  deepEqual(failures, []);
  deepEqual(world.gate.refused, []);
  const given = world.sessions.all.length;
  ok(given >= 10 && reads > 500, `${given} sessions, ${reads} reads`);
});

Deno.test("an STS that is busy, refuses and comes back", async (t) => {
  await using world = await mountS3(14_000, 120_000);
  const { sts, sessions, mounted, paths, gate } = world;
  const [path = ""] = paths;
  await t.step("reads go on in the old session while it is busy", async () => {
    sts.fail(503, "ServiceUnavailable", 2);
    const { failures } = await readFor(world, 15_000);
    deepEqual(failures, []);
    equal((await mounted.metrics()).get(FAILED), 2);
    ok(sessions.all.length >= 2, "then it gave out another one");
  });
  await t.step("a session that was ended is renewed once, and nobody notices", async () => {
    const before = sessions.all.length;
    sessions.revokeAll();
    equal((await readDirect(path)).kind, "read");
    equal(sessions.all.length, before + 1);
    ok(gate.refused.every((code) => code === "ExpiredToken"), gate.refused.join());
  });
  await t.step("reads fail with EACCES once it refuses for good", async () => {
    sts.fail(403, "AccessDenied");
    const said = await eventually("a read fails", async () => {
      const outcome = await readDirect(path);
      return outcome.kind === "failed" ? outcome.said : null;
    });
    match(said, /Permission denied/);
    const record = await mounted.program.logged(
      "why",
      ({ fields }) => /no AWS credentials .*It is so in this test/.test(JSON.stringify(fields)),
    );
    match(JSON.stringify(record.fields), /trust policy of/);
  });
  await t.step("reads work again soon after it gives out sessions again", async () => {
    sts.heal();
    await eventually("a read works", async () => (await readDirect(path)).kind === "read");
  });
});

Deno.test("a real STS gives a role for tokens that its issuer signed only", async (t) => {
  await using owned = new AsyncDisposableStack();
  const minio = owned.use(await startMinioWithIssuer());
  await minio.seed("data", ["object"]);
  const place = owned.use(await createPlace());
  const tokenFile = `${place.root}/token`;
  await Deno.writeTextFile(tokenFile, await minio.token());
  const backend = {
    ...{ name: "data", type: "s3", config: { root: "data", endpoint: minio.endpoint } },
    auth: {
      method: "oidc_federation",
      ...{ role_arn: "arn:minio:iam:::role/any", token_file: tokenFile },
      sts_endpoint: minio.endpoint,
    },
  };
  const config = { ...FORGETFUL, backends: [backend] };
  await t.step("with its token", async () => {
    await using mounted = await Mounted.start(place, { config });
    equal((await readDirect(`${mounted.data}/object`)).kind, "read");
  });
  await t.step("not with a damaged one", async () => {
    const token = await minio.token();
    await Deno.writeTextFile(tokenFile, `${token.slice(0, -8)}AAAAAAAA`);
    const text = JSON.stringify({ mount_point: place.mountPoint, ...config });
    const args = ["mount", "--check", "--config", "config.yaml"];
    const { stdout, code } = await runProgram(args, { "config.yaml": text }, {});
    equal(code, 1);
    match(stdout, /no AWS credentials .*verification error/);
  });
});
