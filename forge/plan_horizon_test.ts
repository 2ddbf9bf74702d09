import assert from "node:assert/strict";
import { PlanHorizon, type RunOutline } from "./plan_horizon.ts";
import type { Shard } from "./train/shards.ts";

function* endless(sizeBytes: number): Generator<Shard, never> {
  for (let number = 0;; number += 1) yield { path: `/${number}`, name: `${number}`, sizeBytes };
}

/** A run over shards of 100 bytes, 200 to an epoch. */
function horizon(run: Partial<RunOutline>): PlanHorizon {
  const order = endless(100);
  return new PlanHorizon({ order, epochShards: 200, samples: 1e9, headBytes: 1_000, ...run });
}

Deno.test("PlanHorizon begins with what is read at once, and at least one shard", () => {
  assert.deepEqual(horizon({}).head().map(({ name }) => Number(name)), [...Array(10).keys()]);
  assert.equal(horizon({ headBytes: 1 }).head().length, 1);
  assert.equal(horizon({ headBytes: 1e9 }).head().length, 400);
  assert.equal(horizon({ order: endless(0), headBytes: 1e9 }).head().length, 400);
});

Deno.test("PlanHorizon keeps an epoch ahead, in few pieces that make the whole order", () => {
  const plan = horizon({});
  const told = plan.head();
  let pieces = 0;
  for (let consumed = 1; consumed <= 1_000; consumed += 1) {
    const piece = plan.consumed(50);
    pieces += piece.length > 0 ? 1 : 0;
    told.push(...piece);
    assert.ok(told.length >= consumed + 199 && told.length <= consumed + 400, `${told.length}`);
  }
  assert.deepEqual(told.map(({ name }) => Number(name)), [...told.keys()]);
  assert.ok(pieces <= 6, String(pieces));
});

Deno.test("PlanHorizon tells no shard that the run does not reach", () => {
  const plan = horizon({ samples: 3_001 });
  let told = plan.head().length;
  for (let consumed = 0; consumed < 31; consumed += 1) told += plan.consumed(100).length;
  assert.equal(told, 31);
});

Deno.test("PlanHorizon follows shards that turn out smaller than the first ones", () => {
  const plan = horizon({ samples: 3_000 });
  let told = plan.head().length + plan.consumed(300).length;
  assert.equal(told, 10);
  for (let consumed = 0; consumed < 27; consumed += 1) told += plan.consumed(100).length;
  assert.ok(told >= 28, String(told));
});

Deno.test("PlanHorizon goes on when shards have no samples", () => {
  const plan = horizon({ epochShards: 1, samples: 10 });
  plan.head();
  assert.equal(plan.consumed(0).length, 1 + 64 - 10);
});
