import { equal, notEqual } from "node:assert/strict";
import { ConnectionLimit } from "./connection_limit.ts";

Deno.test("ConnectionLimit leaves room for another user", () => {
  const limit = new ConnectionLimit({ connectionsMax: 3, connectionsOfUserMax: 2 });
  limit.take(1);
  limit.take(1);
  equal(limit.take(1), null);
  notEqual(limit.take(2), null);
});

Deno.test("ConnectionLimit bounds all users together", () => {
  const limit = new ConnectionLimit({ connectionsMax: 3, connectionsOfUserMax: 2 });
  for (const uid of [1, 1, 2]) limit.take(uid);
  equal(limit.take(3), null);
});

Deno.test("ConnectionLimit gives a place to the next when one is given back", () => {
  const limit = new ConnectionLimit({ connectionsMax: 1, connectionsOfUserMax: 1 });
  const place = limit.take(1);
  equal(limit.take(2), null);
  place?.[Symbol.dispose]();
  notEqual(limit.take(2), null);
});
