import { deepEqual, equal, ok } from "node:assert/strict";
import { formatProblem } from "../cache/platform/config_problem.ts";
import { Secret } from "../cache/platform/secret.ts";
import { type MountConfigInputs, parseMountConfig } from "./config_file.ts";

/** The key every Azurite has; no secret. */
const KEY =
  "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
/** In the form of a token; signs nothing. */
const SAS = "?sv=2024-11-04&sp=rl&sig=c2ln";

const VARIABLES: Readonly<Record<string, string>> = {
  KEY: ` ${KEY}\n`,
  SAS,
  DATA: "/srv/data",
  MINUTES: "5",
  XDG_RUNTIME_DIR: "/run/user/1000",
};

const INPUTS: MountConfigInputs = {
  env: { get: (name) => VARIABLES[name] },
  readTextFile(path) {
    if (path === "/secrets/key") return `${KEY}\n`;
    if (path === "/secrets/dollar") return "${KEY}";
    throw new Deno.errors.NotFound("No such file");
  },
  user: { uid: 1000, gid: 100 },
};

function parsed(text: string, inputs = INPUTS) {
  const outcome = parseMountConfig(text, inputs);
  if (outcome.ok) return outcome;
  throw new Error(outcome.problems.map((problem) => formatProblem("f", problem)).join("\n"));
}

const MINIMAL = "mount_point: /mnt/wd\nbackends:\n- {name: a, type: local, config: {root: /srv}}\n";

function azure(config: string, auth: string): string {
  return `mount_point: /mnt/wd
backends:
- name: b
  type: azureblob
  config: {account: acc, root: data${config}}
${auth === "" ? "" : `  auth: {${auth}}\n`}`;
}

function authOf(config: string, auth: string): unknown {
  const source = parsed(azure(config, auth)).config.backends[0]?.source;
  return source?.type === "azureblob" ? source.auth : undefined;
}

Deno.test("parseMountConfig fills in every default", () => {
  const { config, warnings } = parsed(MINIMAL);
  deepEqual(warnings, []);
  deepEqual(config, {
    mountPoint: "/mnt/wd",
    allowOther: false,
    fuseDebug: false,
    fuse: {
      attrTimeoutMs: 60_000,
      entryTimeoutMs: 60_000,
      negativeTimeoutMs: 5_000,
      maxBackground: 64,
      congestionThreshold: 48,
      readAheadBytes: 1_048_576,
      passthrough: true,
      nodesMax: 1_000_000,
    },
    owner: { uid: 1000, gid: 100, fileMode: 0o444, directoryMode: 0o555 },
    cache: null,
    memoryBytes: 512 * 1024 * 1024,
    staleTtlMs: 60_000,
    listingEntriesMax: 200_000,
    backends: [{
      name: "a",
      mountPath: "a",
      timeoutMs: 30_000,
      requestsMax: 64,
      source: { type: "local", root: "/srv" },
    }],
    teams: [],
    origin: "file",
    metrics: { enabled: true, hostname: "127.0.0.1", port: 9090 },
    control: {
      place: { kind: "directory", path: "/run/user/1000/warpdrive/mnt-wd", chosen: false },
      group: null,
    },
  });
});

Deno.test("parseMountConfig lets other users in by default only when root mounts", () => {
  equal(parsed(MINIMAL, { ...INPUTS, user: { uid: 0, gid: 0 } }).config.allowOther, true);
  equal(parsed(`allow_other: true\n${MINIMAL}`).config.allowOther, true);
});

Deno.test("parseMountConfig takes control sockets where they are wanted, or none", () => {
  const { control } = parsed(`control: {path: /srv/sockets/, group: wd}\n${MINIMAL}`).config;
  const place = { kind: "directory", path: "/srv/sockets", chosen: true };
  deepEqual(control, { place, group: "wd" });
  equal(parsed(`control: {enabled: false}\n${MINIMAL}`).config.control, null);
});

Deno.test("parseMountConfig derives the congestion threshold from max_background", () => {
  equal(parsed(`fuse: {max_background: 32}\n${MINIMAL}`).config.fuse.congestionThreshold, 24);
  equal(parsed(`fuse: {max_background: 1}\n${MINIMAL}`).config.fuse.congestionThreshold, 1);
});

Deno.test("parseMountConfig takes a section without keys for an absent one", () => {
  deepEqual(parsed(`fuse:\nmetrics:\n${MINIMAL}`).config, parsed(MINIMAL).config);
});

Deno.test("parseMountConfig replaces variables in values only, and leaves a bare $ alone", () => {
  const { config } = parsed(
    "mount_point: /mnt/wd\nfuse: {attr_timeout: '${MINUTES}m'}\nbackends:\n" +
      "- {name: a, type: local, config: {root: '${DATA}/$HOME/$'}}\n",
  );
  equal(config.fuse.attrTimeoutMs, 300_000);
  deepEqual(config.backends[0]?.source, { type: "local", root: "/srv/data/$HOME/$" });
});

Deno.test("parseMountConfig reads the Azure keys of the founding documents", () => {
  const text = azure(
    ', chunk_size: "4194304", list_chunk: "500", env_auth: "true", use_msi: "true", prefix: /a/b/',
    "",
  );
  const { config, warnings } = parsed(text);
  deepEqual(config.backends[0]?.source, {
    type: "azureblob",
    account: "acc",
    container: "data",
    prefix: "a/b",
    endpoint: "https://acc.blob.core.windows.net",
    listPageSize: 500,
    auth: { method: "managed_identity", clientId: null, resourceId: null },
  });
  deepEqual(warnings.map(({ path }) => path), ["backends[0].config.chunk_size"]);
});

/** The secrets in `value`, at any depth. */
function secretsIn(value: unknown): readonly Secret[] {
  if (value instanceof Secret) return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(secretsIn) : [];
}

Deno.test("parseMountConfig reads secrets from variables and files, without white space", () => {
  const revealed = (auth: unknown) => secretsIn(auth)[0]?.reveal();
  equal(revealed(authOf("", "method: static, account_key_env: KEY")), KEY);
  equal(revealed(authOf("", "method: static, account_key_file: /secrets/key")), KEY);
  equal(revealed(authOf("", "method: static, sas_env: SAS")), SAS.slice(1));
  const principal = "method: service_principal, tenant_id: t, client_id: c";
  const secret = authOf("", `${principal}, client_secret_file: /secrets/dollar`);
  equal(revealed(secret), "${KEY}");
});

Deno.test("parseMountConfig completes workload identity from the environment", () => {
  const set: Readonly<Record<string, string>> = {
    AZURE_TENANT_ID: "t",
    AZURE_CLIENT_ID: "c",
    AZURE_FEDERATED_TOKEN_FILE: "/token",
  };
  const text = azure("", "method: workload_identity");
  const { config } = parsed(text, { ...INPUTS, env: { get: (name) => set[name] } });
  const source = config.backends[0]?.source;
  ok(source?.type === "azureblob");
  deepEqual(source.auth, {
    method: "workload_identity",
    tenantId: "t",
    clientId: "c",
    tokenFile: "/token",
    authorityHost: null,
  });
});

Deno.test("parseMountConfig bounds fetches only where max_parallel_fetch says so", () => {
  const bounded = parsed(`cache: {path: /var/cache/wd, max_parallel_fetch: 8}\n${MINIMAL}`);
  deepEqual([bounded.config.cache?.fetchesMax, bounded.warnings], [8, []]);
  equal(parsed(`cache: {path: /var/cache/wd}\n${MINIMAL}`).config.cache?.fetchesMax, Infinity);
});

Deno.test("parseMountConfig takes teams, and a member of two is a problem of its own", () => {
  const teams = "teams: {a: {users: [ada, 7], paths: [/x]}, b: {users: [bob]}}";
  deepEqual(parsed(`${teams}\n${MINIMAL}`).config.teams, [
    { name: "a", users: ["ada", "7"], paths: ["/x"] },
    { name: "b", users: ["bob"], paths: [] },
  ]);
  const twice = "teams: {a: {users: [ada], paths: [x/y]}, b: {users: [ada], paths: [/x/y/]}}";
  const outcome = parseMountConfig(`${twice}\n${MINIMAL}`, INPUTS);
  deepEqual(outcome.ok ? [] : outcome.problems.map(({ path }) => path), [
    "teams.b.users[0]",
    "teams.b.paths[0]",
  ]);
});

Deno.test("parseMountConfig says which settings this version checks and does not use", () => {
  const { warnings } = parsed(`control_plane: {}\ntelemetry: {}\n${MINIMAL}`);
  deepEqual(warnings.map(({ path }) => path), ["control_plane", "telemetry"]);
});
