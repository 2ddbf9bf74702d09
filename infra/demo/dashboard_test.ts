import { deepEqual } from "node:assert/strict";
import { backendTable, kernelTable } from "./dashboard.ts";
import { parseSamples } from "./samples.ts";

Deno.test("kernel requests are shown most frequent first, with their mean", () => {
  const samples = parseSamples(`warpdrive_fuse_operations_total{operation="lookup"} 2
warpdrive_fuse_operations_total{operation="read"} 4
warpdrive_fuse_operation_duration_seconds_sum{operation="read"} 0.008
warpdrive_fuse_operation_duration_seconds_count{operation="read"} 4
`);
  deepEqual(kernelTable(samples).slice(1), [["read", "4", "2.0 ms"], ["lookup", "2", "-"]]);
});

Deno.test("a backend that was asked nothing is shown with zeros", () => {
  deepEqual(backendTable([], ["a"]).slice(1), [["a", "0", "-", "0 B", "0"]]);
});
