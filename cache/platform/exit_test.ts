import { equal } from "node:assert/strict";
import { CommandError, hintOf } from "./exit.ts";

Deno.test("hintOf finds the hint of the first error of a chain that has one", () => {
  const inner = new CommandError("failed", "Cannot open", "Open it");
  equal(hintOf(new Error("Cannot mount", { cause: inner })), "Open it");
  equal(
    hintOf(new CommandError("failed", "Cannot mount", "Mount it", { cause: inner })),
    "Mount it",
  );
});

Deno.test("hintOf passes over an error whose hint is null", () => {
  const inner = new CommandError("failed", "Cannot open", "Open it");
  equal(hintOf(new CommandError("failed", "Cannot mount", null, { cause: inner })), "Open it");
});

Deno.test("hintOf gives null where nothing has a hint", () => {
  equal(hintOf(new Error("Cannot mount")), null);
  equal(hintOf("text"), null);
});
