import { deepEqual, equal } from "node:assert/strict";
import { Registry } from "prom-client";
import { LatencyTable } from "./latency_table.ts";

const SPEC = {
  name: "test_seconds",
  type: "histogram",
  unit: "seconds",
  labels: ["operation"],
  help: "Test",
  buckets: [0.1, 1],
} as const;

function exported(): { table: LatencyTable; registry: Registry } {
  const registry = new Registry();
  const table = new LatencyTable(SPEC.buckets);
  table.export(SPEC, registry);
  return { table, registry };
}

Deno.test("LatencyTable exports cumulative buckets with inclusive bounds", async () => {
  const { table, registry } = exported();
  const record = table.recorder("read");
  for (const seconds of [0.05, 0.1, 0.5, 1, 2]) record(seconds);
  equal(
    await registry.metrics(),
    [
      "# HELP test_seconds Test",
      "# TYPE test_seconds histogram",
      'test_seconds_bucket{le="0.1",operation="read"} 2',
      'test_seconds_bucket{le="1",operation="read"} 4',
      'test_seconds_bucket{le="+Inf",operation="read"} 5',
      'test_seconds_sum{operation="read"} 3.65',
      'test_seconds_count{operation="read"} 5',
      "",
    ].join("\n"),
  );
});

Deno.test("LatencyTable shows no series before a recorder was asked for", async () => {
  const { registry } = exported();
  equal(
    await registry.metrics(),
    "# HELP test_seconds Test\n# TYPE test_seconds histogram\n",
  );
});

Deno.test("LatencyTable gives recorders of one label the same series", () => {
  const table = new LatencyTable([1]);
  table.recorder("read")(0.5);
  table.recorder("read")(2);
  table.recorder("lookup")(2);
  deepEqual([...table.totals()], [["read", 2], ["lookup", 1]]);
});

Deno.test("LatencyTable gives its samples as JSON too", async () => {
  const { table, registry } = exported();
  table.recorder("read")(0.5);
  const [metric] = await registry.getMetricsAsJSON();
  equal(metric?.name, "test_seconds");
  equal(metric?.values.length, 5);
});
