import assert from "node:assert/strict";
import { NOT_OPEN, opened, type OpenMode, released } from "./open_mode.ts";

const noBacking = () => null;
const mustNotRegister = () => {
  throw new Error("Registered a second backing file");
};

Deno.test("an inode opens in passthrough when nothing is open and a backing file is there", () => {
  const mode = opened(NOT_OPEN, () => 7);
  assert.deepEqual(mode, { mode: "passthrough", opens: 1, backingId: 7 });
  assert.deepEqual(opened(mode, mustNotRegister), { mode: "passthrough", opens: 2, backingId: 7 });
});

Deno.test("an inode stays in the page cache while any such open lives", () => {
  const mode = opened(NOT_OPEN, noBacking);
  assert.deepEqual(opened(mode, mustNotRegister), { mode: "cached", opens: 2 });
});

Deno.test("an inode gives its backing id back with the last release only", () => {
  const two: OpenMode = { mode: "passthrough", opens: 2, backingId: 7 };
  const one = released(two);
  assert.deepEqual(one, {
    next: { mode: "passthrough", opens: 1, backingId: 7 },
    freedBackingId: null,
  });
  assert.deepEqual(released(one.next), { next: NOT_OPEN, freedBackingId: 7 });
});

Deno.test("an inode that is not open cannot be released", () => {
  assert.throws(() => released(NOT_OPEN), /Only what is open/);
});
