/** The doctor, and the check before a mount, on Cloud Storage in every state. */
import { equal, match } from "node:assert/strict";
import { runProgram } from "./cli/run_program.ts";
import { bytesOf, put } from "./support/backend_calls.ts";
import { FaultProxy } from "./support/fault_proxy.ts";
import { freePort } from "./support/free_port.ts";
import { gatedSourceAt, openGcs, startGcsServers } from "./support/gcs_place.ts";
import { POOL } from "./support/google_fake.ts";
import { otherKey } from "./support/other_key.ts";

const BUCKET = "doctor";

type Mapping = Readonly<Record<string, string>>;

/** What the program is run with, where that is not what works. */
interface State {
  readonly config?: Mapping;
  readonly auth?: Mapping;
}

/** What no output may show. */
const SECRETS = /PRIVATE KEY|ya29|eyJ/;

Deno.test("the doctor tells apart what keeps it out of a bucket of Cloud Storage", async (t) => {
  await using servers = await startGcsServers();
  const { server, gate, issuers, keyFile, directory } = servers;
  await server.createBucket(BUCKET);
  await using backend = openGcs(gatedSourceAt(servers, BUCKET));
  await put(backend, "train/shard-000000.tar", bytesOf("hello"));
  await using proxy = await FaultProxy.start(issuers.origin);

  const run = async (args: readonly string[], { config, auth }: State) => {
    const backends = [{
      name: "gcs",
      type: "gcs",
      timeout: "10s",
      config: { root: BUCKET, endpoint: gate.endpoint, ...config },
      auth: auth ?? { method: "service_account", key_file: keyFile },
    }];
    const text = JSON.stringify({ mount_point: "/mnt/none", backends });
    const { stdout, stderr } = await runProgram(
      [...args, "--config", "config.yaml"],
      { "config.yaml": text },
      {},
    );
    equal(SECRETS.test(stdout + stderr), false, "A secret is printed");
    // The check before a mount is an error where it fails.
    const lines = (stdout + stderr).split("\n");
    const at = lines.findIndex((line) => line.includes('backend "gcs"'));
    // What was found, and the remedy below it.
    return lines.slice(at, at + 2).join("\n");
  };
  const diagnose = (state: State = {}) => run(["ctl", "doctor"], state);
  const check = (state: State = {}) => run(["mount", "--check"], state);

  await t.step("nothing", async () => {
    match(await diagnose(), /^ok .* lists its root in .*, reads 5 B of "train\/shard-000000\.tar"/);
    match(await check(), /^ok .* lists its root in/);
  });
  await t.step("another bucket", async () => {
    const state = { config: { root: "absent-one" } };
    const found = /^FAIL .*there is no bucket "absent-one".*\n.*Check root \(the bucket\)/i;
    match(await diagnose(state), /^FAIL .* wrong container: /);
    match(await diagnose(state), found);
    match(await check(state), found);
  });
  await t.step("another endpoint", async () => {
    // A service, but not this one.
    const state = { config: { endpoint: issuers.origin }, auth: { method: "none" } };
    const nobody = { config: { endpoint: `http://127.0.0.1:${freePort()}` } };
    match(await diagnose(state), /^FAIL .* wrong container: .*404/);
    match(await diagnose(nobody), /^FAIL .* no answer: connection refused.*\n.*endpoint is right/);
    match(await check(nobody), /^FAIL .*connection refused.*\n.*endpoint is right/i);
  });
  await t.step("a page of somebody else", async () => {
    const page = { status: 200, headers: { "content-type": "text/html" }, body: "<html>Log in" };
    proxy.inject({ kind: "answer", ...page });
    const state = { config: { endpoint: proxy.origin }, auth: { method: "none" } };
    const found = /^FAIL .*none of a Cloud Storage service.*\n.*Check the endpoint/i;
    match(await diagnose(state), /^FAIL .* wrong endpoint: /);
    match(await diagnose(state), found);
    match(await check(state), found);
    proxy.heal();
  });
  await t.step("no credentials", async () => {
    const state = { auth: { method: "none" } };
    const found = /^FAIL .*Anonymous caller.*\n.*set another auth/i;
    match(await diagnose(state), /^FAIL .* credential refused: /);
    match(await diagnose(state), found);
    match(await check(state), found);
  });
  await t.step("a key that was deleted", async () => {
    const key = { ...issuers.key(), private_key: await otherKey() };
    await Deno.writeTextFile(`${directory}/deleted.json`, JSON.stringify(key));
    const state = { auth: { method: "service_account", key_file: `${directory}/deleted.json` } };
    const found = /^FAIL .*Invalid JWT Signature.*\n.*Check the key in ".*deleted\.json"/i;
    match(await diagnose(state), /^FAIL .* credential refused: /);
    match(await diagnose(state), found);
    match(await check(state), found);
  });
  const refusals: readonly (readonly [title: string, said: string, found: RegExp])[] = [
    [
      "a wrong clock",
      "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe",
      /^FAIL .* clock skew: .*\n.*clock/,
    ],
    [
      "a token that expired",
      "The subject token has expired",
      /^FAIL .* expired credential: .*\n.*Renew/,
    ],
  ];
  for (const [title, description, found] of refusals) {
    await t.step(title, async () => {
      const body = JSON.stringify({ error: "invalid_grant", error_description: description });
      proxy.inject({ kind: "answer", status: 400, headers: {}, body });
      const auth = {
        method: "gcp_wif",
        audience: POOL,
        token_file: keyFile,
        sts_url: `${proxy.origin}/v1/token`,
        iam_endpoint: issuers.origin,
      };
      match(await diagnose({ auth }), found);
      match(await check({ auth }), /^FAIL .*invalid_grant/i);
      proxy.heal();
    });
  }
  await t.step("no right to list", async () => {
    gate.forbids = ({ path }) => path.endsWith("/o");
    const found = /^FAIL .*403 forbidden.*\n.*storage\.objects\.list on bucket "doctor"/i;
    match(await diagnose(), /^FAIL .* no permission to list: /);
    match(await diagnose(), found);
    match(await check(), found);
    gate.reset();
  });
  await t.step("no right to read", async () => {
    gate.forbids = ({ query }) => query.get("alt") === "media";
    const found = /^FAIL .* no permission to read: .*\n.*storage\.objects\.get on bucket "doctor"/;
    match(await diagnose(), found);
    gate.reset();
  });
  await t.step("no project that pays", async () => {
    gate.paying = "billed-project";
    const found = /^FAIL .*requester pays bucket.*\n.*user_project/i;
    match(await diagnose(), found);
    match(await check(), found);
    match(await diagnose({ config: { user_project: "billed-project" } }), /^ok /);
    gate.reset();
  });
});
