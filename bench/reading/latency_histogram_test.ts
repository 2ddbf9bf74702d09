import assert from "node:assert/strict";
import { LatencyHistogram } from "./latency_histogram.ts";

Deno.test("LatencyHistogram gives back what was put in, within one percent", () => {
  for (let ms = 0.0005; ms < 600_000; ms *= 1.37) {
    const histogram = new LatencyHistogram();
    histogram.add(ms);
    for (const value of [histogram.quantileMs(0.5), histogram.quantileMs(1), histogram.meanMs]) {
      assert.ok(Math.abs(value / ms - 1) < 0.01, `${value} for ${ms}`);
    }
  }
});

Deno.test("LatencyHistogram orders quantiles as a sorted list would", () => {
  const histogram = new LatencyHistogram();
  for (let ms = 1; ms <= 1_000; ms += 1) histogram.add(ms);
  for (const [quantile, expected] of [[0.5, 500], [0.95, 950], [0.99, 990], [1, 1_000]] as const) {
    assert.ok(Math.abs(histogram.quantileMs(quantile) / expected - 1) < 0.01, String(quantile));
  }
  assert.equal(histogram.total, 1_000);
  assert.ok(Math.abs(histogram.between(100, 200) - 100) <= 2);
});

Deno.test("LatencyHistogram takes in what another thread counted", () => {
  const one = new LatencyHistogram();
  const other = new LatencyHistogram();
  one.add(1);
  other.add(3);
  one.addAll(new LatencyHistogram(structuredClone(other.counts)));
  assert.equal(one.total, 2);
  assert.ok(Math.abs(one.meanMs / 2 - 1) < 0.01);
});

Deno.test("LatencyHistogram bounds what is out of its range", () => {
  const histogram = new LatencyHistogram();
  histogram.add(0);
  histogram.add(1e12);
  assert.equal(histogram.total, 2);
  assert.ok(histogram.quantileMs(1) > 1_000_000);
  assert.ok(Number.isNaN(new LatencyHistogram().quantileMs(0.5)));
});
