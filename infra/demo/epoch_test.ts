import { deepEqual } from "node:assert/strict";
import { comparisonRows, type Epoch, epochRows } from "./epoch.ts";
import type { RegionPlan } from "./region.ts";

const MIB = 2 ** 20;
const FIGURES = { images_per_sec: 500, data_ms: 60, compute_ms: 0.2, loss: 2.25 };
const COLD: Epoch = {
  wallMs: 16_000,
  windows: [{ event: "window", step: 60, ...FIGURES }],
  summary: { event: "done", steps: 60, samples: 1_920, order: "ab", ...FIGURES },
  counters: {
    hits: 300,
    misses: 100,
    reads: 500,
    passthroughOpens: 8,
    backends: new Map([
      ["cac", { bytes: 30 * MIB, requests: 9, errors: 0 }],
      ["wus3", { bytes: 20 * MIB, requests: 9, errors: 0 }],
    ]),
  },
  linkBytes: 51 * MIB,
};
const WARM: Epoch = {
  ...COLD,
  wallMs: 2_000,
  summary: { ...COLD.summary, images_per_sec: 5_000, data_ms: 4 },
  counters: { hits: 200, misses: 0, reads: 0, passthroughOpens: 28, backends: new Map() },
  linkBytes: 0,
};

Deno.test("an epoch is told by its time, its reads and what came from where", () => {
  const distance = { roundTripMs: 20, bytesPerSecond: MIB };
  const regions: RegionPlan[] = [
    { title: "Canada Central", tag: "CAC", backend: "cac", distance },
    { title: "West US 3", tag: "WUS3", backend: "wus3", distance },
  ];
  deepEqual(epochRows(COLD, regions), [
    ["Wall time, whole command", "16,000 ms"],
    ["Throughput, whole run", "500.0 images/s"],
    ["Avg data load / step", "60.00 ms"],
    ["Kernel reads served by WarpDrive", "500"],
    ["Opens passed through to the disk", "8"],
    ["Cache hits / misses", "300 / 100 (75.0 %)"],
    ["Fetched (CAC)", "30 MiB"],
    ["Fetched (WUS3)", "20 MiB"],
    ["Seen on the links", "51 MiB"],
  ]);
});

Deno.test("two epochs are compared by ratios of speed and by differences of counts", () => {
  deepEqual(comparisonRows(COLD, WARM), [
    ["Metric", "Cold", "Warm", "Delta"],
    ["Wall time, whole command", "16,000 ms", "2,000 ms", "8.0x"],
    ["Throughput (images/s)", "500.0", "5000.0", "10.0x"],
    ["Avg data load / step", "60.00 ms", "4.00 ms", "15.0x"],
    ["Cache hit rate", "75.0 %", "100.0 %", "+25.0 points"],
    ["Cache hits", "300", "200", "-100"],
    ["Cache misses", "100", "0", "-100"],
    ["Kernel reads served by WarpDrive", "500", "0", "-500"],
    ["Opens passed through to the disk", "8", "28", "+20"],
    ["Backend data fetched", "50 MiB", "0 B", "-100.0 %"],
    ["Seen on the links", "51 MiB", "0 B", "-100.0 %"],
    ["Loss of the last step", "2.2500", "2.2500", "identical"],
  ]);
});

Deno.test("a warm epoch that learned something else is said to differ", () => {
  const other = { ...WARM, summary: { ...WARM.summary, order: "ba" } };
  deepEqual(comparisonRows(COLD, other).at(-1)?.at(-1), "DIFFERENT");
});
