import assert from "node:assert/strict";
import { createLogger, describeError, type LogSettings } from "./log.ts";

/** A logger and the lines it wrote. */
function logTo(settings: Partial<LogSettings> = {}) {
  const lines: string[] = [];
  const logger = createLogger({
    level: "info",
    format: "json",
    stacks: false,
    write: (line) => lines.push(line),
    now: () => new Date(Date.UTC(2026, 10, 22, 17, 15, 0, 250)),
    ...settings,
  });
  return { logger, lines };
}

Deno.test("the log has one JSON object per line, with time, level, message and fields", () => {
  const { logger, lines } = logTo();
  logger.warn("Retry", { path: "a\nb", attempt: 2 });
  assert.deepEqual(lines, [
    '{"time":"2026-11-22T17:15:00.250Z","level":"warn","message":"Retry",' +
    '"path":"a\\nb","attempt":2}\n',
  ]);
});

Deno.test("the log is text for a terminal, one line per record all the same", () => {
  const { logger, lines } = logTo({ format: "text" });
  logger.info("Ready", { path: "a\nb", backends: ["x"], missing: undefined });
  assert.deepEqual(lines, ['17:15:00.250 INFO  Ready path="a\\nb" backends=["x"] missing=\n']);
});

Deno.test("the log leaves out what is less severe than its level", () => {
  const { logger, lines } = logTo({ level: "warn" });
  logger.debug("1");
  logger.info("2");
  logger.warn("3");
  logger.error("4");
  assert.equal(lines.length, 2);
});

Deno.test("a child carries its fields, and those of its parents, in every record", () => {
  const { logger, lines } = logTo();
  logger.child({ backend: "a", try: 1 }).child({ try: 2 }).info("Go", { path: "p" });
  assert.match(lines[0] ?? "", /"backend":"a","try":2,"path":"p"/);
});

Deno.test("errors are logged with their causes, and with stacks only where asked for", () => {
  const error = new Error("Cannot mount", { cause: new Error("Not permitted") });
  const plain = logTo();
  plain.logger.error("Fail", { error });
  assert.match(plain.lines[0] ?? "", /"error":"Cannot mount: Not permitted"}/);
  const debug = logTo({ stacks: true });
  debug.logger.error("Fail", { error });
  assert.match(debug.lines[0] ?? "", /"error_stack":"Error: Cannot mount\\n/);
});

Deno.test("describeError says once what an error repeats of its causes", () => {
  const refused = new Error("mkdir '/x': refused", { cause: new Error("by the disk") });
  const cannot = new Error("Cannot make it: mkdir '/x': refused", { cause: refused });
  assert.equal(describeError(cannot), "Cannot make it: mkdir '/x': refused: by the disk");
  const same = new Error("No keys", { cause: new Error("No keys", { cause: new Error("") }) });
  assert.equal(describeError(same), "No keys");
});

Deno.test("describeError takes anything that can be thrown", () => {
  assert.equal(describeError("text"), "text");
  assert.equal(describeError(undefined), "undefined");
  assert.equal(describeError(new Error("A", { cause: "b" })), "A: b");
});
