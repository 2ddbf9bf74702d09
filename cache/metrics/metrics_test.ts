import { deepEqual, equal, match } from "node:assert/strict";
import { METRICS, type MetricSpec } from "./metrics.ts";

const SPECS: readonly MetricSpec[] = Object.values(METRICS);
const DOCUMENT = Deno.readTextFileSync(new URL("../../docs/metrics.md", import.meta.url));

Deno.test("docs/metrics.md has exactly the catalogue's metrics, word for word", () => {
  const rows = DOCUMENT.split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim().replaceAll("`", "")));
  const expected = SPECS.map((spec) => [
    spec.name,
    spec.type,
    spec.unit,
    spec.labels.join(", "),
    spec.help,
  ]);
  deepEqual(rows, expected);
});

Deno.test("docs/metrics.md has the buckets of every histogram", () => {
  for (const spec of SPECS.filter(({ type }) => type === "histogram")) {
    const line = DOCUMENT.split("\n").find((text) => text.startsWith(`- \`${spec.name}\`: `));
    equal(line?.split(": ")[1], spec.buckets.join(", "));
  }
});

Deno.test("metric names follow Prometheus: base unit last, _total on counters only", () => {
  for (const { name, type, unit } of SPECS) {
    match(name, /^(warpdrive|process)_[a-z_]+$/);
    equal(name.endsWith("_total"), type === "counter", name);
    if (unit === "seconds" || unit === "bytes" || unit === "ratio") {
      match(name, new RegExp(`_${unit}(_[a-z]+)*$`));
    }
  }
});

Deno.test("metric names and meanings are unique, and only histograms have buckets", () => {
  equal(new Set(SPECS.map(({ name }) => name)).size, SPECS.length);
  equal(new Set(SPECS.map(({ help }) => help)).size, SPECS.length);
  for (const { type, buckets } of SPECS) equal(buckets.length > 0, type === "histogram");
});
