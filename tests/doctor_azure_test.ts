/** The doctor as a user runs it, on a machine whose stores are a real Azurite in every state. */
import { deepEqual, equal, match } from "node:assert/strict";
import { z } from "zod";
import { programCommand, runProgram } from "./cli/run_program.ts";
import { type AzureServers, CONTAINER, sas, startAzureServers } from "./support/azure_place.ts";
import { FaultProxy } from "./support/fault_proxy.ts";
import { startSkewedServer } from "./support/skewed_server.ts";

const DIAGNOSES = z.array(z.strictObject({
  check: z.string(),
  subject: z.string(),
  state: z.enum(["ok", "warn", "fail", "skipped"]),
  found: z.string(),
  remedy: z.string().nullable(),
}));
type Diagnoses = z.infer<typeof DIAGNOSES>;

let running: AzureServers | null = null;
Deno.test.beforeAll(async () => {
  running = await startAzureServers();
  const container = await running.azurite.container(CONTAINER);
  await container.getBlockBlobClient("train/shard-000000.tar").upload("hello", 5);
});
Deno.test.afterAll(async () => {
  await running?.[Symbol.asyncDispose]();
});

function servers(): AzureServers {
  if (running === null) throw new Error("The servers have not been started");
  return running;
}

/** How one backend differs from one that works. */
interface BackendState {
  readonly root?: string;
  readonly endpoint?: string;
  readonly auth?: Readonly<Record<string, string>>;
}

function backendOf(name: string, { root, endpoint, auth }: BackendState) {
  const { azurite } = servers();
  return {
    name,
    type: "azureblob",
    timeout: "10s",
    config: {
      account: azurite.account,
      root: root ?? CONTAINER,
      endpoint: endpoint ?? azurite.endpoint,
    },
    auth: auth ?? { method: "static", account_key_env: "KEY" },
  };
}

function configOf(backends: Readonly<Record<string, BackendState>>): string {
  const list = Object.entries(backends).map(([name, state]) => backendOf(name, state));
  return JSON.stringify({ mount_point: "/mnt/none", backends: list });
}

const WRONG_KEY = btoa("x".repeat(64));

function variables(): Record<string, string> {
  const { azurite } = servers();
  const listOnly = sas(azurite, "l");
  const token = listOnly.method === "sas" ? listOnly.sasToken.reveal() : "";
  return { KEY: azurite.key, WRONG_KEY, LIST_ONLY: token };
}

async function diagnose(backends: Readonly<Record<string, BackendState>>) {
  const args = ["ctl", "doctor", "--config", "config.yaml", "--format", "json"];
  const files = { "config.yaml": configOf(backends) };
  const { code, stdout, stderr } = await runProgram(args, files, variables());
  const diagnoses = DIAGNOSES.parse(JSON.parse(stdout));
  for (const secret of Object.values(variables())) {
    equal((stdout + stderr).includes(secret), false, "A secret is printed");
  }
  return { code, diagnoses };
}

/** `STATE FOUND` of the check `name`, the subject of which names `subject`. */
function lineOf(diagnoses: Diagnoses, name: string, subject: string): string {
  const line = diagnoses.find((row) => row.check === name && row.subject.includes(subject));
  return `${line?.state} ${line?.found}`;
}

Deno.test("the doctor finds nothing wrong with a store that works", async () => {
  const { code, diagnoses } = await diagnose({ good: {} });
  equal(code, 0);
  deepEqual(
    diagnoses.filter(({ state }) => state === "fail"),
    [],
  );
  match(
    lineOf(diagnoses, "backend_access", "good"),
    /^ok lists its root in \S+, reads 5 B of "train\/shard-000000\.tar" in \S+$/,
  );
  match(lineOf(diagnoses, "clock_skew", ""), /^ok /);
  match(lineOf(diagnoses, "connection", ""), /^ok TCP in \S+, without TLS$/);
  deepEqual(diagnoses.map(({ check }) => check), [
    "fuse_device",
    "privilege",
    "allow_other",
    "passthrough",
    "open_files",
    "memory",
    "mount",
    "proxy",
    "name_resolution",
    "connection",
    "mtu",
    "clock_skew",
    "backend_access",
  ]);
});

Deno.test("the doctor tells apart what keeps it out of a store", async () => {
  const { azurite } = servers();
  const { code, diagnoses } = await diagnose({
    container: { root: "absent-one" },
    key: { auth: { method: "static", account_key_env: "WRONG_KEY" } },
    rights: { auth: { method: "static", sas_env: "LIST_ONLY" } },
    service: { endpoint: `${new URL(azurite.endpoint).origin}/somebody` },
    good: {},
  });
  equal(code, 1);
  match(lineOf(diagnoses, "backend_access", "container"), /^fail wrong container: .*"absent-one"/);
  match(lineOf(diagnoses, "backend_access", "key"), /^fail credential refused: .*403/);
  match(lineOf(diagnoses, "backend_access", "rights"), /^fail no permission to read: .*403/);
  match(lineOf(diagnoses, "credential_expiry", "rights"), /^fail it does not allow to read$/);
  match(lineOf(diagnoses, "backend_access", "service"), /^fail /);
  match(lineOf(diagnoses, "backend_access", "good"), /^ok /);
  for (const { state, remedy } of diagnoses) if (state === "fail") equal(remedy === null, false);
});

Deno.test("the doctor says that a server does not run", async () => {
  const { azurite } = servers();
  await using proxy = await FaultProxy.start(azurite.endpoint);
  const endpoint = proxy.through(azurite.endpoint);
  proxy.refuse();
  const { code, diagnoses } = await diagnose({ down: { endpoint } });
  equal(code, 1);
  match(lineOf(diagnoses, "connection", ""), /^fail Connection refused/);
  match(lineOf(diagnoses, "clock_skew", ""), /^skipped it does not answer/);
  match(lineOf(diagnoses, "backend_access", "down"), /^fail no answer: connection refused by/);
});

Deno.test("the doctor blames the clock where it is wrong", async () => {
  const { azurite } = servers();
  await using server = startSkewedServer(azurite.endpoint, 20 * 60_000);
  const endpoint = server.through(azurite.endpoint);
  const { code, diagnoses } = await diagnose({
    refused: { endpoint, auth: { method: "static", account_key_env: "WRONG_KEY" } },
  });
  equal(code, 1);
  const behind = "this machine is 20m behind";
  equal(lineOf(diagnoses, "clock_skew", ""), `fail ${behind}: requests are refused`);
  match(
    lineOf(diagnoses, "backend_access", "refused"),
    new RegExp(`^fail clock skew: ${behind}; the service answered 403`),
  );
});

Deno.test("the doctor leaves at once, and cleanly, when it is interrupted", async () => {
  using store = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const directory = await Deno.makeTempDir();
  try {
    const endpoint = `http://127.0.0.1:${store.addr.port}/acc`;
    await Deno.writeTextFile(`${directory}/config.yaml`, configOf({ silent: { endpoint } }));
    const args = ["ctl", "doctor", "--config", "config.yaml"];
    await using program = programCommand(args, directory, variables()).spawn();
    // One connection to measure it, one to ask for the time, to which no answer comes.
    using _measured = await store.accept();
    using _asked = await store.accept();
    program.kill("SIGINT");
    const { code, stdout, stderr } = await program.output();
    const decoder = new TextDecoder();
    deepEqual(
      [code, decoder.decode(stdout), decoder.decode(stderr)],
      [130, "", "Stopped by SIGINT\n"],
    );
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
