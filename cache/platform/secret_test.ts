import assert from "node:assert/strict";
import { inspect } from "node:util";
import { createLogger } from "./log.ts";
import { Secret } from "./secret.ts";

const VALUE = "correct horse";
const secret = new Secret(VALUE);

const PRINTED: readonly (readonly [string, () => string])[] = [
  ["a template", () => `${secret}`],
  ["text added to it", () => "" + secret],
  ["JSON", () => JSON.stringify({ secret, list: [secret] })],
  ["Deno.inspect", () => Deno.inspect({ secret })],
  ["node:util", () => inspect({ secret })],
  ["an error", () => new Error(`Cannot use ${secret}`).message],
];

for (const [where, print] of PRINTED) {
  Deno.test(`a secret shows as *** in ${where}`, () => {
    assert.ok(print().includes("***"));
    assert.ok(!print().includes("correct"));
  });
}

Deno.test("a secret shows as *** in both formats of the log, at any depth", () => {
  const lines: string[] = [];
  for (const format of ["json", "text"] as const) {
    const settings = { level: "debug", format, stacks: true, now: () => new Date(0) } as const;
    const logger = createLogger({ ...settings, write: (line) => lines.push(line) });
    logger.child({ secret }).info("Use it", { auth: { key: [secret] } });
  }
  assert.equal(lines.length, 2);
  for (const line of lines) assert.equal(line.match(/\*\*\*/g)?.length, 2, line);
  assert.ok(!lines.join().includes("correct"));
});

Deno.test("a secret gives its value only when asked to reveal it", () => {
  assert.equal(secret.reveal(), VALUE);
  assert.deepEqual(Object.keys(secret), []);
});
