import assert from "node:assert/strict";
import { parseRetryAfterMs, xmlElement } from "./refusal.ts";

Deno.test("parseRetryAfterMs takes seconds and dates", () => {
  assert.equal(parseRetryAfterMs("12", 0), 12_000);
  assert.equal(parseRetryAfterMs("Thu, 01 Jan 1970 00:01:00 GMT", 20_000), 40_000);
  assert.equal(parseRetryAfterMs("Thu, 01 Jan 1970 00:00:10 GMT", 20_000), 0);
  assert.equal(parseRetryAfterMs("soon", 0), null);
  assert.equal(parseRetryAfterMs(null, 0), null);
});

Deno.test("xmlElement finds the text of an element, and null where there is none", () => {
  const xml = "<Error><Code>SlowDown</Code><Message></Message></Error>";
  assert.equal(xmlElement(xml, "Code"), "SlowDown");
  assert.equal(xmlElement(xml, "Message"), "");
  assert.equal(xmlElement(xml, "Region"), null);
});
