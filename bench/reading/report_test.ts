import assert from "node:assert/strict";
import { LatencyHistogram } from "./latency_histogram.ts";
import { benchRecord, benchReport, type BenchResult } from "./report.ts";
import { readBenchSettings } from "./settings.ts";

/** A second in which 100 reads of 4 MB took 1 to 10 ms. */
function result(): BenchResult {
  const latencies = new LatencyHistogram();
  for (let read = 0; read < 100; read += 1) latencies.add(1.01 + read % 10);
  return {
    settings: readBenchSettings({ dir: "/wd", baseline: "/raw", readers: "8" }, "/"),
    files: 12,
    measurement: {
      bytes: 400e6,
      seconds: 1,
      latencies,
      digests: [],
      baseline: { bytesPerSecond: 500e6, ratio: 0.8, ratios: [0.7, 0.8, 0.9] },
    },
    backendBytes: 0,
    verdict: { matched: 12, different: [], unknown: 1 },
  };
}

Deno.test("benchReport prints the figures that were asked for, and the shape of latency", () => {
  const lines = benchReport(result()).map((line) => line.replaceAll(/\d+\.\d{3}/g, "N"));
  assert.deepEqual(lines, [
    "Directory:   /wd (12 files, sequential)",
    "Readers:     8",
    "Duration:    1.0 s",
    "Throughput:  0.40 GB/s",
    "Operations:  100",
    "Ops/s:       100.0",
    "Avg latency: N ms",
    "p50/p95/p99: N / N / N ms",
    "Baseline:    0.50 GB/s from /raw",
    "Ratio:       0.80 (rounds 0.70 0.80 0.90)",
    "From stores: 0 bytes",
    "Checksums:   12 files match, 1 have no checksum",
    "",
    `    <=2 ms |${"#".repeat(8).padEnd(40)}| 10`,
    `    <=5 ms |${"#".repeat(24).padEnd(40)}| 30`,
    `   <=10 ms |${"#".repeat(40)}| 50`,
    `   <=20 ms |${"#".repeat(8).padEnd(40)}| 10`,
  ]);
});

Deno.test("benchRecord gives plain numbers in base units", () => {
  const { seconds, bytes_per_second, latency_ms, baseline } = JSON.parse(
    JSON.stringify(benchRecord(result())),
  );
  assert.equal(seconds, 1);
  assert.equal(bytes_per_second, 400e6);
  assert.ok(Math.abs(latency_ms.p50 - 5) < 0.1);
  assert.deepEqual(baseline.ratios, [0.7, 0.8, 0.9]);
});
