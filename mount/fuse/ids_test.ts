import assert from "node:assert/strict";
import { handleId, nodeId, requestId, ROOT_NODE } from "./ids.ts";

Deno.test("ids are whole numbers the program can count with, and only nodes are never 0", () => {
  assert.equal(ROOT_NODE, 1);
  assert.throws(() => nodeId(0), /Node id 0/);
  assert.equal(handleId(0), 0);
  assert.equal(requestId(0), 0);
  for (const make of [nodeId, handleId, requestId]) {
    assert.equal(make(2 ** 53 - 1), 2 ** 53 - 1);
    for (const wrong of [-1, 1.5, 2 ** 53, NaN]) assert.throws(() => make(wrong), /is outside/);
  }
});
