import assert from "node:assert/strict";
import type { ObjectEntry } from "../../cache/backend/backend.ts";
import { NodeTable } from "./nodes.ts";

const ENTRY: ObjectEntry = {
  kind: "object",
  name: "a",
  sizeBytes: 3,
  modified: { seconds: 0, nanoseconds: 0 },
  version: "v1",
  etag: null,
  posix: null,
};

Deno.test("NodeTable frees a node only once, though its id was given to another", () => {
  const nodes = new NodeTable({ volume: null, children: new Map() });
  const first = nodes.obtain(nodes.root, ENTRY);
  nodes.freeIfUnused(first);
  const second = nodes.obtain(nodes.root, ENTRY);
  second.lookups = 1;
  assert.notEqual(second, first);
  assert.equal(second.id, first.id);
  // An open of the first that nobody waited for ends only now.
  nodes.freeIfUnused(first);
  assert.equal(nodes.get(second.id), second);
});
