import { deepEqual, equal, match, ok } from "node:assert/strict";
import { Registry } from "prom-client";
import { METRICS, type MetricSpec } from "./metrics.ts";
import { createTelemetry, type Telemetry } from "./telemetry.ts";

const SPECS: readonly MetricSpec[] = Object.values(METRICS);

function create(degraded = new Map<string, boolean>()) {
  const registry = new Registry();
  const telemetry = createTelemetry(registry, { version: "1.2.3", commit: "abc" }, {
    cacheBypassed: () => false,
    nodes: () => 7,
    requestsInFlight: () => 3,
    bufferBytes: () => 65_536,
    degraded: () => degraded,
    process: () => ({
      cpuSeconds: 1.5,
      residentBytes: 1024,
      openDescriptors: 9,
      startSeconds: 1e9,
    }),
  });
  return { registry, telemetry };
}

function touchEverything({ cache, backend, namespace, fuse }: Telemetry): void {
  cache.hit(2);
  cache.miss(1);
  cache.evicted(1);
  cache.readaheadHit(1);
  cache.readaheadWasted(1);
  cache.size(50, 200);
  backend.request("a", "read", 0.02);
  backend.error("a", "timeout");
  backend.bytesRead("a", 4096);
  backend.hedge("a", "won");
  backend.authRefresh("entra", "success");
  namespace.unlistable("a", 3);
  fuse.recorder("read")(0.0002);
  fuse.passthroughOpened(1000);
}

/** Samples of the text format: name and labels → value. */
function samples(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).map((line) => {
      const space = line.lastIndexOf(" ");
      return [line.slice(0, space), line.slice(space + 1)];
    }),
  );
}

Deno.test("telemetry registers exactly the catalogue, with its types", async () => {
  const { registry } = create();
  const types = (await registry.metrics()).split("\n").filter((line) => line.startsWith("# TYPE"));
  deepEqual(
    types.map((line) => line.slice("# TYPE ".length)).sort(),
    SPECS.map(({ name, type }) => `${name} ${type}`).sort(),
  );
});

Deno.test("telemetry starts with every metric without labels and no empty series", async () => {
  const { registry } = create();
  const found = samples(await registry.metrics());
  for (const { name } of SPECS.filter(({ labels }) => labels.length === 0)) {
    ok(found.has(name), name);
  }
  const labelled = [...found.keys()].filter((key) => key.includes("{"));
  deepEqual(labelled, ['warpdrive_build_info{version="1.2.3",commit="abc"}']);
});

Deno.test("telemetry counts each event under its name and labels", async () => {
  const { registry, telemetry } = create(new Map([["a", false], ["b", true]]));
  touchEverything(telemetry);
  const found = samples(await registry.metrics());
  const expected = {
    "warpdrive_cache_hit_total": "2",
    "warpdrive_cache_miss_total": "1",
    "warpdrive_cache_evictions_total": "1",
    "warpdrive_cache_size_bytes": "50",
    "warpdrive_cache_utilization_ratio": "0.25",
    "warpdrive_readahead_hit_total": "1",
    "warpdrive_readahead_wasted_total": "1",
    'warpdrive_backend_errors_total{backend="a",error_type="timeout"}': "1",
    'warpdrive_backend_bytes_read_total{backend="a"}': "4096",
    'warpdrive_backend_request_duration_seconds_bucket{le="0.01",backend="a",operation="read"}':
      "0",
    'warpdrive_backend_request_duration_seconds_bucket{le="0.05",backend="a",operation="read"}':
      "1",
    'warpdrive_backend_degraded{backend="a"}': "0",
    'warpdrive_backend_degraded{backend="b"}': "1",
    'warpdrive_unlistable_keys_total{backend="a"}': "3",
    'warpdrive_auth_refresh_total{provider="entra",status="success"}': "1",
    'warpdrive_fuse_operations_total{operation="read"}': "1",
    'warpdrive_fuse_operation_duration_seconds_bucket{le="0.0001",operation="read"}': "0",
    'warpdrive_fuse_operation_duration_seconds_bucket{le="0.0005",operation="read"}': "1",
    "warpdrive_fuse_nodes": "7",
    "warpdrive_passthrough_opens_total": "1",
    "warpdrive_passthrough_bytes_total": "1000",
    "process_cpu_seconds_total": "1.5",
    "process_open_fds": "9",
  };
  deepEqual(
    Object.fromEntries(Object.keys(expected).map((key) => [key, found.get(key)])),
    expected,
  );
});

Deno.test("telemetry gives the same answer twice: scraping changes nothing", async () => {
  const { registry, telemetry } = create();
  touchEverything(telemetry);
  equal(await registry.metrics(), await registry.metrics());
});

Deno.test("telemetry writes large counts in full, for scripts that add them up", async () => {
  const { registry, telemetry } = create();
  telemetry.backend.bytesRead("a", 24e12);
  match(
    await registry.metrics(),
    /^warpdrive_backend_bytes_read_total\{backend="a"\} 24000000000000$/m,
  );
});
