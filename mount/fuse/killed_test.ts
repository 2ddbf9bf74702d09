import assert from "node:assert/strict";
import { hasPendingKill, isBeingKilled } from "./killed.ts";

function status(thread: string, process: string): string {
  const blocked = "0000000000000100";
  return `Name:\tcat\nSigPnd:\t${thread}\nShdPnd:\t${process}\nSigBlk:\t${blocked}\n`;
}

Deno.test("hasPendingKill sees SIGKILL sent to the thread and to its process", () => {
  assert.equal(hasPendingKill(status("0000000000000100", "0000000000000000")), true);
  assert.equal(hasPendingKill(status("0000000000000000", "0000000000004100")), true);
});

Deno.test("hasPendingKill takes no other signal and no blocked one for SIGKILL", () => {
  assert.equal(hasPendingKill(status("fffffffffffffeff", "0000000000000000")), false);
});

Deno.test("isBeingKilled knows the living, the unseen and the dead apart", () => {
  assert.equal(isBeingKilled(Deno.pid), false);
  assert.equal(isBeingKilled(0), false);
  assert.equal(isBeingKilled(2 ** 22 + 1), true); // above the largest pid Linux hands out
});
