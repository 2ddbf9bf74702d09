import { deepEqual, equal } from "node:assert/strict";
import { parseSamples, total, totalsBy } from "./samples.ts";

const TEXT = `# HELP reads_total Reads
# TYPE reads_total counter
reads_total{backend="a",operation="read"} 3
reads_total{backend="b",operation="read"} 4
reads_total{backend="b",operation="list"} 1.5e1
up 1
`;

Deno.test("samples are read with and without labels", () => {
  const samples = parseSamples(TEXT);
  equal(samples.length, 4);
  equal(total(samples, "up"), 1);
  equal(total(samples, "reads_total"), 22);
});

Deno.test("totals choose samples by label", () => {
  const samples = parseSamples(TEXT);
  equal(total(samples, "reads_total", { backend: "b" }), 19);
  equal(total(samples, "reads_total", { backend: "c" }), 0);
  deepEqual([...totalsBy(samples, "reads_total", "operation")], [["read", 7], ["list", 15]]);
});
