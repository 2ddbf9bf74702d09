import { deepEqual } from "node:assert/strict";
import { readMakeSettings, syntheticShards } from "./make_settings.ts";

Deno.test("readMakeSettings has the data set of the founding documents as its defaults", () => {
  const settings = readMakeSettings("forge dataset make", { out: ["/data"] });
  const { prefix, shards, samples, imageSize, classes, seed, parallel, force } = settings;
  deepEqual({ prefix, shards, samples, imageSize, classes, seed, parallel, force }, {
    prefix: "train",
    shards: 100,
    samples: 500,
    imageSize: { width: 224, height: 224 },
    classes: 10,
    seed: 42,
    parallel: 8,
    force: false,
  });
});

Deno.test("syntheticShards makes 0 a seed", () => {
  const settings = readMakeSettings("forge dataset make", { seed: "0", shards: "2" });
  const plans = [...syntheticShards(settings)].map((plan) => plan.kind === "make" && plan.seed);
  deepEqual(plans, [0, 0]);
});
