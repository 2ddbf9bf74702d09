import { deepEqual, equal } from "node:assert/strict";
import type { ClientSettings } from "../../cache/backend/http_client.ts";
import type { BackendSettings, Source } from "../../cache/backend/settings.ts";
import { Libc } from "../../cache/platform/libc.ts";
import { Secret } from "../../cache/platform/secret.ts";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { fakeHost } from "../../tests/support/fake_host.ts";
import { allChecks, type DoctorDeps } from "./all_checks.ts";
import type { DoctorConfig } from "./doctor_config.ts";
import { loadDoctorConfig } from "./doctor_config.ts";
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
  const inputs = { env: DEPS.env, readTextFile: () => text };
  return loadDoctorConfig("config.yaml", inputs, false);
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

Deno.test("loadDoctorConfig reads what the checks need", () => {
  const { mountPoint, allowOther, passthrough, nodesMax, memoryBytes, cache } = configOf(TEXT);
  deepEqual([mountPoint, allowOther, passthrough, nodesMax, memoryBytes, cache?.path], [
    "/mnt/data",
    false,
    true,
    5_000,
    2 ** 30,
    "/nvme/cache",
  ]);
});

Deno.test("allChecks looks at a service once, however many backends it has", () => {
  const names = namesOf({ ...configOf(TEXT), backends: [azure("a"), azure("b")] });
  equal(names.filter((name) => name === "clock_skew").length, 1);
  equal(names.filter((name) => name === "backend_access").length, 2);
});

Deno.test("allChecks goes to a service by the proxy and issuers of its backend", async () => {
  const source: Source = {
    type: "gcs",
    bucket: "b",
    prefix: "",
    endpoint: "https://gcs.example.org",
    userProject: null,
    caCertificates: "-----BEGIN CERTIFICATE-----",
    proxy: "http://proxy.example.org:3128",
    listPageSize: 10,
    auth: { method: "none" },
  };
  const asked: ClientSettings[] = [];
  const network = (client: ClientSettings) => {
    asked.push(client);
    return NETWORK;
  };
  const config = { ...configOf(TEXT), backends: [{ ...azure("a"), source }] };
  const checks = allChecks(config, { ...DEPS, network }, false).flat();
  const connects = checks.find(({ name }) => name === "connection");
  const { detail } = await connects?.run(new AbortController().signal) ?? {};
  equal(detail, "requests go through http://proxy.example.org:3128");
  const [client] = asked;
  equal(client?.caCertificates, source.caCertificates);
  equal(client?.proxy, source.proxy);
});

Deno.test("allChecks asks about no network and no disk that is not used", () => {
  const config = configOf(TEXT);
  const names = namesOf({ ...config, cache: null });
  for (const unused of ["proxy", "clock_skew", "disk_speed", "cache_lock", "credential_expiry"]) {
    equal(names.includes(unused), false, unused);
  }
});

Deno.test("docs/ctl.md names every check, and no other", async () => {
  const docs = await Deno.readTextFile(new URL("../../docs/ctl.md", import.meta.url));
  const table = docs.slice(docs.indexOf("| check "), docs.indexOf("Checks about services"));
  const documented = [...table.matchAll(/^\| `([a-z_]+)` /gm)].map(([, name]) => name);
  const names = namesOf({ ...configOf(TEXT), backends: [azure("a")] });
  deepEqual(documented.toSorted(), [...new Set(names)].toSorted());
});
