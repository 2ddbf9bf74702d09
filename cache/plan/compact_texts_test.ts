import { equal, ok } from "node:assert/strict";
import { CompactTexts } from "./compact_texts.ts";

Deno.test("texts come back as they were, whatever bytes they hold", () => {
  const texts = new CompactTexts();
  const given = ["", "a", "größe", "\udc80raw", "x".repeat(10_000), ""];
  given.forEach((text, number) => equal(texts.add(text), number));
  given.forEach((text, number) => equal(texts.get(number), text));
});

Deno.test("a hundred thousand short texts take little more than their bytes", () => {
  const texts = new CompactTexts();
  for (let index = 0; index < 100_000; index += 1) texts.add(`shard-${index}.tar`);
  equal(texts.count, 100_000);
  equal(texts.get(99_999), "shard-99999.tar");
  ok(texts.sizeBytes <= 2 * 100_000 * (15 + 4), `${texts.sizeBytes} bytes`);
});
