import { deepEqual, equal } from "node:assert/strict";
import type { ClientSettings } from "../../cache/backend/http_client.ts";
import { MemoryBackend } from "../../cache/backend/memory.ts";
import type { BackendSettings, Source } from "../../cache/backend/settings.ts";
import { Libc } from "../../cache/platform/libc.ts";
import { silentLogger } from "../../cache/platform/log.ts";
import { Secret } from "../../cache/platform/secret.ts";
import { loadMountConfig } from "../../mount/config_file.ts";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { fakeHost, PRIVILEGED } from "../../tests/support/fake_host.ts";
import { failing, ScriptedBackend } from "../../tests/support/scripted_backend.ts";
import { allChecks, type DoctorDeps } from "./all_checks.ts";
import type { DoctorConfig } from "./doctor_config.ts";
import type { Network } from "./network.ts";

const NETWORK: Network = {
  resolve: () => Promise.resolve([]),
  connect: () => Promise.resolve({ tcpMs: 0, tlsMs: null }),
  date: () => Promise.resolve(null),
  ownAddresses: () => new Set(),
};

const DEPS: DoctorDeps = {
  host: fakeHost({}),
  libc: Libc.open(),
  clock: new FakeClock(),
  env: { get: () => undefined },
  network: () => NETWORK,
  open: () => Promise.reject(new Error("Nobody opens")),
};

const TEXT = `mount_point: /mnt/data
cache: {path: /nvme/cache, memory: 1GB}
fuse: {max_nodes: 5000}
backends:
- {name: a, type: local, config: {root: /srv}}
`;

function configOf(text: string): DoctorConfig {
  const inputs = { env: DEPS.env, readTextFile: () => text, user: { uid: 1_000, gid: 1_000 } };
  return loadMountConfig("config.yaml", inputs, silentLogger);
}

function azure(name: string): BackendSettings {
  return {
    name,
    mountPath: name,
    timeoutMs: 1_000,
    requestsMax: 1,
    source: {
      type: "azureblob",
      account: "acc",
      container: name,
      prefix: "",
      endpoint: "https://acc.blob.core.windows.net",
      listPageSize: 10,
      auth: { method: "sas", sasToken: new Secret("sig=x") },
    },
  };
}

function namesOf(config: DoctorConfig): string[] {
  return allChecks(config, DEPS, false).flat().map(({ name }) => name);
}

Deno.test("allChecks looks at a service once, however many backends it has", () => {
  const names = namesOf({ ...configOf(TEXT), backends: [azure("a"), azure("b")] });
  equal(names.filter((name) => name === "clock_skew").length, 1);
  equal(names.filter((name) => name === "backend_access").length, 2);
});

function gcs(client: ClientSettings): BackendSettings {
  const { caCertificates, proxy } = client;
  const source: Source = {
    type: "gcs",
    bucket: "b",
    prefix: "",
    endpoint: "https://gcs.example.org",
    userProject: null,
    caCertificates,
    proxy,
    listPageSize: 10,
    auth: { method: "none" },
  };
  return { ...azure("a"), source };
}

Deno.test("allChecks goes to a service by the proxy and issuers of each backend", async () => {
  const ways: readonly ClientSettings[] = [
    { caCertificates: "-----BEGIN CERTIFICATE-----", proxy: "http://proxy.example.org:3128" },
    { caCertificates: null, proxy: "http://other.example.org:3128" },
    { caCertificates: null, proxy: null },
  ];
  const asked: ClientSettings[] = [];
  const network = (client: ClientSettings) => {
    asked.push(client);
    return NETWORK;
  };
  const config = { ...configOf(TEXT), backends: [...ways, ...ways].map(gcs) };
  const checks = allChecks(config, { ...DEPS, network }, false).flat();
  deepEqual(asked.map(({ caCertificates, proxy }) => ({ caCertificates, proxy })), ways);
  const detailsOf = async (wanted: string) => {
    const chosen = checks.filter(({ name }) => name === wanted);
    const findings = chosen.map((check) => check.run(new AbortController().signal));
    return (await Promise.all(findings)).map(({ detail }) => detail);
  };
  deepEqual(await detailsOf("connection"), [
    "requests go through http://proxy.example.org:3128",
    "requests go through http://other.example.org:3128",
    "TCP in 0ms, without TLS",
  ]);
  deepEqual(await detailsOf("proxy"), [
    "requests go to gcs.example.org through http://proxy.example.org:3128, " +
    "gcs.example.org through http://other.example.org:3128",
  ]);
});

Deno.test("allChecks asks for the clock of a service by the way of its backend", async () => {
  const asked: (string | null)[] = [];
  const network = ({ proxy }: ClientSettings): Network => ({
    ...NETWORK,
    date() {
      asked.push(proxy);
      return Promise.resolve(null);
    },
  });
  const open = () => {
    const pages = { pageSize: 1, pieceBytes: 1 };
    const backend = new ScriptedBackend(new MemoryBackend("m", pages, DEPS.clock));
    backend.steps.push(failing("unavailable"));
    return Promise.resolve(backend);
  };
  const proxies = ["http://one.example.org:3128", "http://two.example.org:3128"];
  const backends = proxies.map((proxy) => gcs({ caCertificates: null, proxy }));
  const checks = allChecks({ ...configOf(TEXT), backends }, { ...DEPS, network, open }, false);
  for (const { name, run } of checks.flat()) {
    if (name === "backend_access") await run(new AbortController().signal);
  }
  deepEqual(asked, proxies);
});

Deno.test("allChecks asks about no network and no disk that is not used", () => {
  const config = configOf(TEXT);
  const names = namesOf({ ...config, cache: null });
  for (const unused of ["proxy", "clock_skew", "disk_speed", "cache_lock", "credential_expiry"]) {
    equal(names.includes(unused), false, unused);
  }
});

Deno.test("allChecks says once that the cache directory cannot be used", async () => {
  const file = await Deno.makeTempFile();
  try {
    const text = TEXT.replace("/nvme/cache", `${file}/cache`);
    const host = fakeHost({ "/proc/self/status": PRIVILEGED });
    const checks = allChecks(configOf(text), { ...DEPS, host }, false).flat();
    const cacheNames = /^(cache_.*|sparse_files|disk_speed|index_format|passthrough)$/;
    const run = checks.filter(({ name }) => cacheNames.test(name)).map(async (check) => {
      const { state, detail } = await check.run(new AbortController().signal);
      return [check.name, state, detail];
    });
    deepEqual(await Promise.all(run), [
      ["passthrough", "ok", "possible with kernel 6.12.0"],
      [
        "cache_directory",
        "fail",
        `"${file}/cache" cannot be created: "${file}" is no directory`,
      ],
      ["cache_space", "skipped", "see cache directory"],
      ["sparse_files", "skipped", "see cache directory"],
      ["disk_speed", "skipped", "see cache directory"],
      ["cache_lock", "skipped", "see cache directory"],
      ["index_format", "skipped", "see cache directory"],
    ]);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("docs/ctl.md names every check, and no other", async () => {
  const docs = await Deno.readTextFile(new URL("../../docs/ctl.md", import.meta.url));
  const table = docs.slice(docs.indexOf("| check "), docs.indexOf("Checks about services"));
  const documented = [...table.matchAll(/^\| `([a-z_]+)` /gm)].map(([, name]) => name);
  const names = namesOf({ ...configOf(TEXT), backends: [azure("a")] });
  deepEqual(documented.toSorted(), [...new Set(names)].toSorted());
});
