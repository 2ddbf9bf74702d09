import { deepEqual, ok } from "node:assert/strict";
import { parseProcessStat, sampleProcess } from "./process_metrics.ts";

Deno.test("parseProcessStat counts fields after a name with spaces and parentheses", () => {
  const numbers = Array.from({ length: 49 }, (_, index) => String(index + 4));
  const stat = `17 (a (b) c) S ${numbers.join(" ")}\n`;
  // The field counted N in proc(5) holds N here: 14 and 15 are CPU time, 22 is the start.
  deepEqual(parseProcessStat(stat, "cpu 1 2\nbtime 1000\n"), {
    cpuSeconds: 0.29,
    startSeconds: 1000.22,
  });
});

Deno.test("sampleProcess sees a living process", () => {
  const before = sampleProcess();
  using files = new DisposableStack();
  for (let opened = 0; opened < 200; opened += 1) files.use(Deno.openSync("/proc/self/stat"));
  const after = sampleProcess();
  ok(before.residentBytes > 1_000_000);
  ok(before.startSeconds > 0);
  ok(before.cpuSeconds >= 0);
  // Tests beside this one share the process, and open and close a few of their own.
  const more = after.openDescriptors - before.openDescriptors;
  ok(more > 100 && more < 300, `${more} more`);
});
