import assert from "node:assert/strict";
import { epochs } from "./shard_order.ts";
import type { Root } from "./shards.ts";

/** A root at `path` with `count` shards whose names begin with the root's label. */
function root(label: string, path: string, count: number): Root {
  const shards = Array.from({ length: count }, (_, index) => {
    const name = `${label}${index}`;
    return { path: `${path}/${name}`, name, sizeBytes: 1 };
  });
  return { label, path, shards };
}

function names(roots: readonly Root[], seed: number, count: number): string[][] {
  const endless = epochs(roots, seed);
  return Array.from({ length: count }, () => endless.next().value.map(({ name }) => name));
}

Deno.test("epochs holds every shard once, in another order each time", () => {
  const order = names([root("a", "/x", 10)], 42, 3);
  for (const epoch of order) assert.equal(new Set(epoch).size, 10);
  assert.equal(new Set(order.map(String)).size, 3);
});

Deno.test("epochs takes one shard of each root in turn until none is left", () => {
  const [epoch = []] = names([root("a", "/x", 2), root("b", "/y", 4)], 42, 1);
  assert.deepEqual(epoch.map((name) => name[0]), ["a", "b", "a", "b", "b", "b"]);
});

Deno.test("epochs depends on the seed, and 0 is a seed", () => {
  const roots = [root("a", "/x", 20), root("b", "/y", 20)];
  assert.notDeepEqual(names(roots, 0, 1), names(roots, 42, 1));
  assert.deepEqual(names(roots, 0, 2), names(roots, 0, 2));
});

Deno.test("epochs is the same wherever the roots are mounted", () => {
  const here = [root("a", "/wd/z", 20), root("b", "/wd/a", 20)];
  const there = [root("a", "/raw/a", 20), root("b", "/raw/z", 20)];
  assert.deepEqual(names(here, 7, 2), names(there, 7, 2));
});

Deno.test("epochs keeps the order of a seed from release to release", () => {
  const [epoch] = names([root("a", "/x", 3), root("b", "/y", 3)], 42, 1);
  assert.deepEqual(epoch, ["a1", "b2", "a0", "b1", "a2", "b0"]);
});
