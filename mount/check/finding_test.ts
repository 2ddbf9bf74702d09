import { equal } from "node:assert/strict";
import { bad, doubtful, formatFindings, good, wouldMount } from "./finding.ts";

Deno.test("formatFindings aligns its columns and ends with the verdict", () => {
  const findings = [
    good("FUSE device", "/dev/fuse opens"),
    doubtful("cache", "little space", "Free some"),
    bad('backend "a"', "no answer", "Check the network"),
  ];
  equal(
    formatFindings(findings),
    `ok    FUSE device  /dev/fuse opens
warn  cache        little space
                   Free some
FAIL  backend "a"  no answer
                   Check the network

The mount would not work: 1 failure, 1 warning
`,
  );
  equal(wouldMount(findings), false);
});

Deno.test("formatFindings counts nothing as none", () => {
  equal(
    formatFindings([good("a", "b")]),
    "ok    a  b\n\nThe mount would work: no failures, no warnings\n",
  );
  equal(wouldMount([good("a", "b"), doubtful("c", "d", "e")]), true);
});
