/**
 * Credentials that end, for as long as it takes to believe it: tokens of 20 s over three minutes of
 * reads of every store, and a real STS that checks signatures.
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { systemClock } from "../../cache/platform/clock.ts";
import { runProgram } from "../cli/run_program.ts";
import { startMinioWithIssuer } from "../support/minio.ts";
import { readDirect } from "../support/mount_reader.ts";
import { Mounted } from "../support/mounted.ts";
import { createPlace } from "../support/place.ts";
import { FORGETFUL, onEveryStore, readWhile } from "../support/renewal_trial.ts";

const LIFETIME_MS = 20_000;
const TRIAL_MS = 180_000;
const TEST_MS_MAX = 600_000;

Deno.test("credentials of 20 s are renewed for three minutes, and no read fails", async () => {
  await onEveryStore(LIFETIME_MS, TEST_MS_MAX, async (world) => {
    const { reads, failures } = await readWhile(
      world,
      () => systemClock.sleep(TRIAL_MS, new AbortController().signal),
    );
    deepEqual(failures, []);
    deepEqual(world.refused(), []);
    const given = world.issuer.issued();
    ok(given >= 10 && reads > 500, `${given} of ${world.issuer.provider}, ${reads} reads`);
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
