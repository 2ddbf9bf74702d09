import { deepEqual, equal } from "node:assert/strict";
import type { BackendSettings } from "../../cache/backend/settings.ts";
import { Libc } from "../../cache/platform/libc.ts";
import { Secret } from "../../cache/platform/secret.ts";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { fakeHost } from "../../tests/support/fake_host.ts";
import { allChecks, type DoctorDeps } from "./all_checks.ts";
import type { DoctorConfig } from "./doctor_config.ts";
import { loadDoctorConfig } from "./doctor_config.ts";

const DEPS: DoctorDeps = {
  host: fakeHost({}),
  libc: Libc.open(),
  clock: new FakeClock(),
  env: { get: () => undefined },
  network: {
    resolve: () => Promise.resolve([]),
    connect: () => Promise.resolve({ tcpMs: 0, tlsMs: null }),
    date: () => Promise.resolve(null),
    ownAddresses: () => new Set(),
  },
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
