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

Deno.test("each row of the dashboard has its own counter, large ones and labelled ones too", () => {
  const samples = parseSamples(`warpdrive_cache_hit_total 3e+06
warpdrive_cache_miss_total 1000000
warpdrive_cache_evictions_total 5
warpdrive_cache_corruptions_total 1
warpdrive_cache_size_bytes 2097152
warpdrive_cache_utilization_ratio 0.25
warpdrive_readahead_hit_total 7
warpdrive_readahead_wasted_total 2
warpdrive_passthrough_opens_total 4
warpdrive_passthrough_bytes_total 1048576
warpdrive_auth_refresh_total{provider="entra",status="success"} 2
warpdrive_auth_refresh_total{provider="vault",status="success"} 1
warpdrive_auth_refresh_total{provider="entra",status="failure"} 6
warpdrive_backend_bytes_read_total{backend="a"} 1048576
warpdrive_backend_request_duration_seconds_count{backend="a",operation="list"} 1
warpdrive_backend_request_duration_seconds_count{backend="a",operation="read"} 3
warpdrive_backend_request_duration_seconds_sum{backend="a",operation="list"} 0.02
warpdrive_backend_request_duration_seconds_sum{backend="a",operation="read"} 0.06
`);
  deepEqual(cacheRows(samples), [
    ["Hits / misses", "3,000,000 / 1,000,000"],
    ["Hit rate", "75.0 %"],
    ["Evictions", "5"],
    ["Damaged chunks found", "1"],
    ["Used on disk", "2 MiB (25.0 % of the limit)"],
    ["Read ahead: used / wasted", "7 / 2 blocks"],
    ["Opens passed through", "4 (1 MiB of files that the kernel reads by itself)"],
    ["Credential refreshes", "3 (6 failed)"],
  ]);
  const distance = { roundTripMs: 1, bytesPerSecond: 1 };
  deepEqual(backendRows(samples, [{ title: "A", tag: "A", backend: "a", distance }]), [
    ["Backend", "received", "requests", "mean", "errors"],
    ["a", "1 MiB", "4", "20.0 ms", "0"],
  ]);
});
