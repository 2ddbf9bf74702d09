import { deepEqual, equal } from "node:assert/strict";
import { backendRows, cacheRows, kernelLine, latencyBars } from "./dashboard.ts";
import { parseSamples } from "./samples.ts";

const READS = parseSamples(`warpdrive_fuse_operations_total{operation="lookup"} 2
warpdrive_fuse_operations_total{operation="read"} 8
warpdrive_fuse_operations_total{operation="readdirplus"} 3
warpdrive_fuse_operation_duration_seconds_bucket{le="0.0001",operation="read"} 4
warpdrive_fuse_operation_duration_seconds_bucket{le="0.0005",operation="read"} 4
warpdrive_fuse_operation_duration_seconds_bucket{le="0.001",operation="read"} 4
warpdrive_fuse_operation_duration_seconds_bucket{le="0.005",operation="read"} 6
warpdrive_fuse_operation_duration_seconds_bucket{le="0.05",operation="read"} 7
warpdrive_fuse_operation_duration_seconds_bucket{le="+Inf",operation="read"} 8
warpdrive_fuse_operation_duration_seconds_bucket{le="+Inf",operation="lookup"} 99
warpdrive_fuse_operation_duration_seconds_sum{operation="read"} 0.016
warpdrive_fuse_operation_duration_seconds_count{operation="read"} 8
`);

Deno.test("bars show how many reads took how long, each read in one of them", () => {
  deepEqual(latencyBars(READS), [
    `<= 100 us  4  ${"█".repeat(48)}`,
    "<= 500 us  0  ",
    "<= 1 ms    0  ",
    `<= 5 ms    2  ${"█".repeat(24)}`,
    `<= 50 ms   1  ${"█".repeat(12)}`,
    `> 50 ms    1  ${"█".repeat(12)}`,
    "Mean       2.0 ms",
  ]);
});

Deno.test("bars of a mount that nobody read from are empty", () => {
  const lines = latencyBars([]);
  equal(lines[0], "<= 100 us  0  ");
  equal(lines.at(-1), "Mean       -");
});

Deno.test("requests of the kernel are shown by kind, both kinds of readdir together", () => {
  equal(kernelLine(READS), "read 8   lookup 2   readdir 3   open 0");
});

Deno.test("a backend that was asked nothing is shown with zeros", () => {
  const distance = { roundTripMs: 1, bytesPerSecond: 1 };
  const rows = backendRows([], [{ title: "A", tag: "A", backend: "a", distance }]);
  deepEqual(rows.slice(1), [["a", "0 B", "0", "-", "0"]]);
});

Deno.test("failed requests to a backend are shown with what they failed of", () => {
  const distance = { roundTripMs: 1, bytesPerSecond: 1 };
  const samples = parseSamples(
    'warpdrive_backend_errors_total{backend="a",error_type="timeout"} 2\n' +
      'warpdrive_backend_errors_total{backend="b",error_type="denied"} 1\n',
  );
  const [, row] = backendRows(samples, [{ title: "A", tag: "A", backend: "a", distance }]);
  equal(row?.at(-1), "2 (timeout)");
});

Deno.test("the hit rate is of all blocks that were asked for", () => {
  const rows = cacheRows(parseSamples("warpdrive_cache_hit_total 3\nwarpdrive_cache_miss_total 1"));
  deepEqual(rows.find(([title]) => title === "Hit rate"), ["Hit rate", "75.0 %"]);
});
