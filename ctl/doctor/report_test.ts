import { equal } from "node:assert/strict";
import { bad, good, skipped } from "../../cache/platform/finding.ts";
import type { Diagnosis } from "./check.ts";
import { printDiagnoses } from "./report.ts";
import type { Format } from "../output/format.ts";

const DIAGNOSES: readonly Diagnosis[] = [
  { check: "fuse_device", finding: good("FUSE device", "/dev/fuse opens") },
  { check: "disk_speed", finding: skipped("disk speed", "--quick") },
  {
    check: "backend_access",
    finding: bad('backend "a"', "the service said \x1b[2Jhello\nworld", "=Check it"),
  },
];

function printed(format: Format): string {
  const texts: string[] = [];
  const stdout = { isTerminal: false, write: (text: string) => void texts.push(text) };
  printDiagnoses(DIAGNOSES, format, stdout);
  return texts.join("");
}

Deno.test("the doctor prints a table with advice below what needs some", () => {
  equal(
    printed("table"),
    `ok    FUSE device  /dev/fuse opens
skip  disk speed   --quick
FAIL  backend "a"  the service said \\x1b[2Jhello\\nworld
                   =Check it

Something is wrong: 1 failure, no warnings
`,
  );
});

Deno.test("the doctor prints an array of objects with stable keys", () => {
  equal(
    printed("json"),
    `[
  {
    "check": "fuse_device",
    "subject": "FUSE device",
    "state": "ok",
    "found": "/dev/fuse opens",
    "remedy": null
  },
  {
    "check": "disk_speed",
    "subject": "disk speed",
    "state": "skipped",
    "found": "--quick",
    "remedy": null
  },
  {
    "check": "backend_access",
    "subject": "backend \\"a\\"",
    "state": "fail",
    "found": "the service said \\u001b[2Jhello\\nworld",
    "remedy": "=Check it"
  }
]
`,
  );
});

Deno.test("the doctor prints one line of CSV per check", () => {
  equal(
    printed("csv"),
    [
      "check,subject,state,found,remedy",
      'fuse_device,"FUSE device",ok,"/dev/fuse opens",',
      'disk_speed,"disk speed",skipped,\'--quick,',
      'backend_access,"backend ""a""",fail,"the service said \\x1b[2Jhello\\nworld","\'=Check it"',
      "",
    ].join("\r\n"),
  );
});
