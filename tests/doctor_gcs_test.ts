/** The doctor, and the check before a mount, on Cloud Storage in every state. */
import { equal, match } from "node:assert/strict";
import { runProgram } from "./cli/run_program.ts";
import { bytesOf, put } from "./support/backend_calls.ts";
import { FaultProxy } from "./support/fault_proxy.ts";
import { CLOSED_PORT } from "./support/free_port.ts";
import { gatedSourceAt, type GcsServers, openGcs, startGcsServers } from "./support/gcs_place.ts";
import { POOL } from "./support/google_fake.ts";
import { otherKey } from "./support/other_key.ts";

const BUCKET = "doctor";

type Mapping = Readonly<Record<string, string>>;

/** How the configuration differs from one that works. */
interface State {
  readonly config?: Mapping;
  readonly auth?: Mapping;
}

interface World {
  readonly servers: GcsServers;
  /** Before the issuers of tokens. */
  readonly proxy: FaultProxy;
}

/** What keeps the program out, and what it says of that. */
interface Case {
  readonly title: string;
  /** Brings it about. */
  readonly arrange: (world: World) => State | Promise<State>;
  /** The problem by its name. */
  readonly problem: RegExp;
  /** What both say of it, with the remedy. */
  readonly found: RegExp;
}

/** What no output may show. */
const SECRETS = /PRIVATE KEY|ya29|eyJ/;

Deno.test("the doctor tells apart what keeps it out of Cloud Storage", async (t) => {
  await using servers = await startGcsServers();
  await servers.server.createBucket(BUCKET);
  await using backend = openGcs(gatedSourceAt(servers, BUCKET));
  await put(backend, "train/shard-000000.tar", bytesOf("hello"));
  await using proxy = await FaultProxy.start(servers.issuers.origin);
  const world = { servers, proxy };

  await t.step("nothing", async () => {
    const found = /^ok .* lists its root in .*, reads 5 B of "train\/shard-000000\.tar"/;
    match(await diagnose(world, {}), found);
    match(await check(world, {}), found);
  });
  for (const { title, arrange, problem, found } of CASES) {
    await t.step(title, async () => {
      servers.gate.reset();
      proxy.heal();
      const state = await arrange(world);
      const [diagnosis, checked] = await Promise.all([diagnose(world, state), check(world, state)]);
      match(diagnosis, problem);
      match(diagnosis, found);
      match(checked, found);
    });
  }
  await t.step("nothing, once the project is named that pays", async () => {
    match(await diagnose(world, { config: { user_project: "billed-project" } }), /^ok /);
  });
});

const diagnose = (world: World, state: State) => run(["ctl", "doctor"], world, state);
const check = (world: World, state: State) => run(["mount", "--check"], world, state);

/** The line about the backend, and the one below it. */
async function run(
  args: readonly string[],
  { servers: { gate, keyFile } }: World,
  { config, auth }: State,
): Promise<string> {
  const backends = [{
    name: "gcs",
    type: "gcs",
    timeout: "10s",
    config: { root: BUCKET, endpoint: gate.endpoint, ...config },
    auth: auth ?? { method: "service_account", key_file: keyFile },
  }];
  const text = JSON.stringify({ mount_point: "/mnt/none", backends });
  const command = [...args, "--config", "config.yaml"];
  const { stdout, stderr } = await runProgram(command, { "config.yaml": text }, {});
  equal(SECRETS.test(stdout + stderr), false, "A secret is printed");
  // The check before a mount is an error where it fails.
  const lines = (stdout + stderr).split("\n");
  const at = lines.findIndex((line) => line.includes('backend "gcs"'));
  return lines.slice(at, at + 2).join("\n");
}

/** Has the issuers refuse what they are shown, because of `description`. */
function refusedProof(description: string): Case["arrange"] {
  return ({ proxy, servers: { issuers, keyFile } }) => {
    const body = JSON.stringify({ error: "invalid_grant", error_description: description });
    proxy.inject({ kind: "answer", status: 400, headers: {}, body });
    return {
      auth: {
        method: "gcp_wif",
        audience: POOL,
        token_file: keyFile,
        sts_url: `${proxy.origin}/v1/token`,
        iam_endpoint: issuers.origin,
      },
    };
  };
}

const CASES: readonly Case[] = [
  {
    title: "another bucket",
    arrange: () => ({ config: { root: "absent-one" } }),
    problem: /^FAIL .* wrong container: /,
    found: /there is no bucket "absent-one".*\n.*Check root \(the bucket\)/,
  },
  {
    title: "another service",
    arrange: ({ servers: { issuers } }) => ({ config: { endpoint: issuers.origin } }),
    problem: /^FAIL .* wrong container: /,
    found: /404.*\n.*Check root \(the bucket\) and endpoint/,
  },
  {
    title: "no service",
    arrange: () => ({ config: { endpoint: `http://127.0.0.1:${CLOSED_PORT}` } }),
    problem: /^FAIL .* no answer: /,
    found: /connection refused.*\n.*endpoint is right/i,
  },
  {
    title: "a page of somebody else",
    arrange: ({ proxy }) => {
      const headers = { "content-type": "text/html" };
      proxy.inject({ kind: "answer", status: 200, headers, body: "<html>Please log in</html>" });
      return { config: { endpoint: proxy.origin } };
    },
    problem: /^FAIL .* wrong endpoint: /,
    found: /none of a Cloud Storage service.*\n.*Check the endpoint/,
  },
  {
    title: "no credentials",
    arrange: () => ({ auth: { method: "none" } }),
    problem: /^FAIL .* credential refused: /,
    found: /401 required \(Anonymous caller.*\n.*set another auth/,
  },
  {
    title: "a key that was deleted",
    arrange: async ({ servers: { issuers, directory } }) => {
      const key = { ...issuers.key(), private_key: await otherKey() };
      await Deno.writeTextFile(`${directory}/deleted.json`, JSON.stringify(key));
      return { auth: { method: "service_account", key_file: `${directory}/deleted.json` } };
    },
    problem: /^FAIL .* (credential refused|no credential): /,
    found: /Invalid JWT Signature.*\n.*Check the key in ".*deleted\.json"/,
  },
  {
    title: "a wrong clock",
    arrange: refusedProof("Invalid JWT: Token must be short-lived and in a reasonable timeframe"),
    problem: /^FAIL .* clock skew: .*\n.*clock/,
    found: /400 invalid_grant: Invalid JWT/,
  },
  {
    title: "a proof that ended",
    arrange: refusedProof("The subject token has expired"),
    problem: /^FAIL .* expired credential: .*\n.*Renew/,
    found: /400 invalid_grant: The subject token has expired/,
  },
  {
    title: "no right to list",
    arrange: ({ servers: { gate } }) => {
      gate.forbids = ({ path }) => path.endsWith("/o");
      return {};
    },
    problem: /^FAIL .* no permission to list: /,
    found: /403 forbidden.*\n.*storage\.objects\.list on bucket "doctor"/,
  },
  {
    title: "no right to read",
    arrange: ({ servers: { gate } }) => {
      gate.forbids = ({ query }) => query.get("alt") === "media";
      return {};
    },
    problem: /^FAIL .* no permission to read: /,
    found: /403 forbidden.*\n.*storage\.objects\.get on bucket "doctor"/,
  },
  {
    title: "nobody who pays",
    arrange: ({ servers: { gate } }) => {
      gate.paying = "billed-project";
      return {};
    },
    problem: /^FAIL .* credential refused: /,
    found: /requester pays bucket.*\n.*user_project/,
  },
];
