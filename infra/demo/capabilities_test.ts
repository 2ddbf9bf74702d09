import { deepEqual, equal, match } from "node:assert/strict";
import { capabilities, type Evidence } from "./capabilities.ts";
import type { Epoch } from "./epoch.ts";

const DISTANCE = { roundTripMs: 20, bytesPerSecond: 1 };
const MIB = 2 ** 20;

function epochOf(bytes: number, misses: number): Epoch {
  const figures = { images_per_sec: 500, data_ms: 20, compute_ms: 0.2, loss: 2.25 };
  const backend = { bytes, requests: 4, errors: 0 };
  return {
    wallMs: 1_000,
    windows: [{ event: "window", step: 50, ...figures, loss: 2.5 }],
    summary: { event: "done", steps: 60, samples: 1_920, order: "ab", ...figures },
    counters: {
      hits: 10,
      misses,
      reads: 10,
      passthroughOpens: 20,
      backends: new Map([["cac", backend], ["wus3", backend]]),
    },
    linkBytes: 2 * bytes + 1_000,
  };
}

const COLD = epochOf(50 * MIB, 3);
const WARM = epochOf(0, 0);
const GOOD: Evidence = {
  regions: [
    { title: "Canada Central", tag: "CAC", backend: "cac", distance: DISTANCE },
    { title: "West US 3", tag: "WUS3", backend: "wus3", distance: DISTANCE },
  ],
  cold: COLD,
  warm: WARM,
  contents: { files: 20, differences: [] },
  trainerNetwork: "none",
  identity: { tokens: 2, refreshes: 2, failures: 0, statusesWithoutToken: [403, 403] },
  metrics: { health: 200, series: 200, countedBytes: 100 * MIB, linkBytes: 101 * MIB },
  governance: {
    commands: ["warm", "status", "stats", "usage", "stale", "explain"]
      .map((name) => ({ name, code: 0 })),
    bytesAfterWarm: 0,
  },
};

function failedWith(change: Partial<Evidence>): string[] {
  return capabilities({ ...GOOD, ...change }).filter(({ holds }) => !holds)
    .map(({ title }) => title);
}

Deno.test("all six capabilities hold when everything was measured as it should be", () => {
  equal(capabilities(GOOD).length, 6);
  deepEqual(failedWith({}), []);
});

Deno.test("a warm epoch that took one byte from a backend shows no caching", () => {
  deepEqual(failedWith({ warm: epochOf(1, 0) }), ["Transparent NVMe Caching"]);
});

Deno.test("a warm epoch with a miss, or other losses, shows no caching", () => {
  deepEqual(failedWith({ warm: epochOf(0, 1) }), ["Transparent NVMe Caching"]);
  const other = { ...WARM, summary: { ...WARM.summary, loss: 2.25 + Number.EPSILON * 2 } };
  deepEqual(failedWith({ warm: other }), ["Transparent NVMe Caching"]);
  const reordered = { ...WARM, summary: { ...WARM.summary, order: "ba" } };
  deepEqual(failedWith({ warm: reordered }), ["Transparent NVMe Caching"]);
});

Deno.test("a slow warm epoch is printed, not judged", () => {
  const slow = { ...WARM, summary: { ...WARM.summary, data_ms: 2_000 } };
  deepEqual(failedWith({ warm: slow }), []);
});

Deno.test("a shard with other bytes fails what rests on the contents", () => {
  const contents = { files: 20, differences: ["cac/train/shard-000000.tar: FAILED"] };
  deepEqual(failedWith({ contents }), ["Transparent NVMe Caching", "Zero-Code Cloud Access"]);
});

Deno.test("a region that gave nothing, or an error, shows no fabric", () => {
  const backends = new Map([["cac", { bytes: MIB, requests: 1, errors: 0 }]]);
  const oneSided = { ...COLD, counters: { ...COLD.counters, backends } };
  deepEqual(failedWith({ cold: oneSided }), ["Cross-Region Data Fabric"]);
  const errors = new Map([...WARM.counters.backends, ["cac", {
    bytes: 0,
    requests: 1,
    errors: 1,
  }]]);
  const broken = { ...WARM, counters: { ...WARM.counters, backends: errors } };
  deepEqual(failedWith({ warm: broken }), ["Cross-Region Data Fabric"]);
});

Deno.test("a store that answers without a token shows no identity", () => {
  const identity = { ...GOOD.identity, statusesWithoutToken: [403, 200] };
  deepEqual(failedWith({ identity }), ["Managed-Identity Auth"]);
  const without = { ...GOOD.identity, tokens: 0 };
  deepEqual(failedWith({ identity: without }), ["Managed-Identity Auth"]);
});

Deno.test("metrics that disagree with the links show no observability", () => {
  for (const linkBytes of [99 * MIB, 112 * MIB]) {
    const metrics = { ...GOOD.metrics, linkBytes };
    deepEqual(failedWith({ metrics }), ["Prometheus Observability"], String(linkBytes));
  }
});

Deno.test("governance names the commands that failed or are not there", () => {
  const commands = [{ name: "warm", code: 1 }, { name: "status", code: 0 }];
  const governance = { commands, bytesAfterWarm: 0 };
  deepEqual(failedWith({ governance }), ["Data Governance"]);
  const because = capabilities({ ...GOOD, governance }).at(-1)?.because ?? "";
  match(because, /FAILED: warm/);
  match(because, /not in this version: stats, usage, stale, explain/);
});

Deno.test("what the trainer could reach is said as it was", () => {
  const said = (trainerNetwork: Evidence["trainerNetwork"]) =>
    capabilities({ ...GOOD, trainerNetwork })[2]?.because ?? "";
  match(said("none"), /no network and no credentials/);
  match(said("the machine's"), /had no credentials/);
});
