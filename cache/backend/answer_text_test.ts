import { equal } from "node:assert/strict";
import { firstLine, jsonOrNull } from "./answer_text.ts";

Deno.test("firstLine leaves out what is for developers, and what is endless", () => {
  equal(firstLine("\n Not you. \r\nTrace ID: 1"), "Not you.");
  equal(firstLine(""), "");
  equal(firstLine("x".repeat(10_000)).length, 500);
});

Deno.test("jsonOrNull has null for what is no JSON", () => {
  equal(jsonOrNull("<html>"), null);
  equal(jsonOrNull("7"), 7);
});
