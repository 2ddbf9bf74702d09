import { deepEqual } from "node:assert/strict";
import { good } from "../../cache/platform/finding.ts";
import type { Check } from "./check.ts";
import { CheckProgress } from "./progress.ts";

function checkOf(subject: string): Check {
  return { name: "x", subject, deadlineMs: 1, run: () => Promise.resolve(good(subject, "")) };
}

function shown(isTerminal: boolean): string[] {
  const written: string[] = [];
  const [a, b, c] = [checkOf("disk"), checkOf("name"), checkOf("clock")];
  {
    using progress = new CheckProgress({ isTerminal, write: (text) => void written.push(text) }, 3);
    progress.started(a);
    progress.started(b);
    progress.started(c);
    progress.ended(a);
  }
  return written;
}

Deno.test("CheckProgress keeps to one line of a terminal and takes it away again", () => {
  deepEqual(shown(true), [
    "\r\x1b[K0 of 3 checks: disk",
    "\r\x1b[K0 of 3 checks: disk, name",
    "\r\x1b[K0 of 3 checks: disk, name, …",
    "\r\x1b[K1 of 3 checks: name, clock",
    "\r\x1b[K",
  ]);
});

Deno.test("CheckProgress writes nothing where no terminal is", () => {
  deepEqual(shown(false), []);
});
