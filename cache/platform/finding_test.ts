import { equal } from "node:assert/strict";
import { bad, doubtful, formatFindings, good, nothingFailed, skipped } from "./finding.ts";

const VERDICTS = { good: "The mount would work", bad: "The mount would not work" };

Deno.test("formatFindings aligns its columns and ends with the verdict", () => {
  const findings = [
    good("FUSE device", "/dev/fuse opens"),
    doubtful("cache", "little space", "Free some"),
    bad('backend "a"', "no answer", "Check the network"),
    skipped("disk speed", "--quick"),
  ];
  equal(
    formatFindings(findings, VERDICTS),
    `ok    FUSE device  /dev/fuse opens
warn  cache        little space
                   Free some
FAIL  backend "a"  no answer
                   Check the network
skip  disk speed   --quick

The mount would not work: 1 failure, 1 warning
`,
  );
  equal(nothingFailed(findings), false);
});

Deno.test("formatFindings counts nothing as none", () => {
  equal(
    formatFindings([good("a", "b")], VERDICTS),
    "ok    a  b\n\nThe mount would work: no failures, no warnings\n",
  );
  equal(nothingFailed([good("a", "b"), doubtful("c", "d", "e"), skipped("f", "g")]), true);
});
