import { deepEqual } from "node:assert/strict";
import { Libc } from "./libc.ts";

const { accounts } = Libc.open();

Deno.test("Groups are known by name", () => {
  deepEqual(["root", "no-such-group"].map((name) => accounts.groupId(name)), [0, null]);
});

Deno.test("Users are known by name and by number", () => {
  deepEqual(["root", "no-such-user"].map((name) => accounts.userId(name)), [0, null]);
  deepEqual([0, 2 ** 31].map((uid) => accounts.userName(uid)), ["root", null]);
});
