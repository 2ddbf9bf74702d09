import { deepEqual, equal, ok } from "node:assert/strict";
import { type SeededRandom, withSeed } from "../../tests/support/seeded_random.ts";
import { createResidency } from "./resident_book.ts";
import type { Admission, Residency, ResidencyPolicy } from "./residency.ts";

const POLICIES = ["adaptive", "lru", "none"] as const;

function residency(policy: ResidencyPolicy, capacityBytes = 10, ghostsMax = 1_000): Residency {
  return createResidency({ policy, capacityBytes, ghostsMax });
}

/** Reads an object of `sizeBytes` and asks for all of it to stay. */
function read(cache: Residency, key: number, sizeBytes = 1): Admission {
  cache.access(key, sizeBytes);
  return cache.admit(key, sizeBytes);
}

function fill(cache: Residency, ...keys: number[]): void {
  for (const key of keys) deepEqual(read(cache, key), { kind: "admit", evict: [] });
}

const TEN = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

for (const policy of POLICIES) {
  Deno.test(`${policy} admits what there is room for`, () => {
    const cache = residency(policy);
    fill(cache, ...TEN);
    equal(cache.usedBytes, 10);
    equal(cache.count, 10);
  });

  Deno.test(`${policy} refuses what is larger than the cache and keeps the rest`, () => {
    const cache = residency(policy);
    fill(cache, ...TEN);
    equal(read(cache, 99, 11).kind, "refuse");
    equal(cache.usedBytes, 10);
  });

  Deno.test(`${policy} has room again for what was removed`, () => {
    const cache = residency(policy);
    fill(cache, ...TEN);
    cache.removed(3);
    cache.removed(3);
    cache.removed(77);
    equal(cache.usedBytes, 9);
    fill(cache, 99);
  });

  Deno.test(`${policy} charges a resident that grows for the difference`, () => {
    const cache = residency(policy);
    fill(cache, 1);
    deepEqual(cache.admit(1, 10), { kind: "admit", evict: [] });
    deepEqual(cache.admit(1, 4), { kind: "admit", evict: [] });
    equal(cache.usedBytes, 4);
    equal(cache.count, 1);
  });

  Deno.test(`${policy} holds what a smaller cache may once it was asked to`, () => {
    const cache = residency(policy, 10);
    fill(cache, 1, 2, 3, 4);
    cache.resize(2);
    equal(cache.usedBytes, 4);
    equal(cache.admit(5, 3).kind, "refuse");
    equal(cache.evict(2, "any").length, 2);
    cache.resize(5);
    deepEqual(cache.admit(5, 3), { kind: "admit", evict: [] });
  });

  Deno.test(`${policy} evicts what it takes when asked, but nothing that is held`, () => {
    const cache = residency(policy);
    fill(cache, ...TEN);
    cache.hold(0);
    cache.hold(0);
    cache.hold(1);
    cache.release(1);
    deepEqual(cache.evict(3, "any"), [2, 3, 4]);
    equal(cache.evict(100, "any").length, 6);
    equal(cache.count, 1);
    cache.release(0);
    deepEqual(cache.evict(100, "any"), [0]);
    equal(cache.usedBytes, 0);
  });
}

Deno.test("what is held before it is admitted is no victim, also after it was removed", () => {
  const cache = residency("lru", 10, 1);
  cache.hold(0);
  fill(cache, ...TEN);
  deepEqual(read(cache, 99), { kind: "admit", evict: [1] });
  cache.removed(0);
  fill(cache, 0);
  deepEqual(read(cache, 98), { kind: "admit", evict: [2] });
  cache.release(0);
  equal(cache.evict(100, "any").length, 10);
});

Deno.test("lru displaces the longest unread", () => {
  const cache = residency("lru");
  fill(cache, ...TEN);
  cache.access(0, 1);
  deepEqual(read(cache, 99, 3), { kind: "admit", evict: [1, 2, 3] });
});

Deno.test("adaptive refuses what is worth no more than what is there", () => {
  const cache = residency("adaptive");
  fill(cache, ...TEN);
  equal(read(cache, 99).kind, "refuse");
});

Deno.test("a resident may grow only as a newcomer might enter", () => {
  const cache = residency("adaptive");
  fill(cache, ...TEN);
  equal(cache.admit(5, 3).kind, "refuse");
  equal(cache.usedBytes, 10);
});

Deno.test("a candidate must be worth more than every object it would displace", () => {
  const cache = residency("lru");
  fill(cache, ...TEN);
  for (const key of TEN.slice(2)) cache.planned(key, 50);
  cache.planned(99, 60);
  equal(read(cache, 99, 3).kind, "refuse");
  deepEqual(read(cache, 99, 2), { kind: "admit", evict: [0, 1] });
});

Deno.test("with a plan the one used furthest in the future leaves", () => {
  const cache = residency("adaptive");
  fill(cache, ...TEN);
  for (const key of TEN) cache.planned(key, 100 + key);
  cache.planned(99, 50);
  deepEqual(read(cache, 99), { kind: "admit", evict: [9] });
  cache.planned(98, 200);
  equal(read(cache, 98).kind, "refuse");
});

Deno.test("an object that no plan mentions does not displace a planned one", () => {
  const cache = residency("lru");
  fill(cache, ...TEN);
  for (const key of TEN) cache.planned(key, 100);
  equal(read(cache, 99).kind, "refuse");
  cache.planned(4, Infinity);
  deepEqual(read(cache, 99), { kind: "admit", evict: [4] });
});

Deno.test("none displaces nothing, not even for a plan", () => {
  const cache = residency("none");
  fill(cache, ...TEN);
  cache.planned(99, 1);
  equal(read(cache, 99).kind, "refuse");
});

Deno.test("only dead objects leave when nothing has to", () => {
  const adaptive = residency("adaptive");
  fill(adaptive, ...TEN);
  deepEqual(adaptive.evict(5, "dead"), []);
  const lru = residency("lru");
  fill(lru, ...TEN);
  deepEqual(lru.evict(5, "dead"), [0, 1, 2, 3, 4]);
});

Deno.test("a cache restored with more than it may hold shrinks when asked", () => {
  const cache = residency("adaptive", 5);
  for (const key of TEN) cache.restore(key, 1);
  equal(cache.usedBytes, 10);
  deepEqual(cache.evict(cache.usedBytes - 5, "any"), [0, 1, 2, 3, 4]);
});

Deno.test("objects that are not resident are remembered up to a bound", () => {
  const cache = residency("adaptive", 10, 100);
  for (let key = 0; key < 100_000; key += 1) cache.access(key, 1);
  equal(cache.count, 0);
  fill(cache, 5);
});

/** What a residency says is resident, kept by its answers alone. */
function randomStep(
  cache: Residency,
  charges: Map<number, number>,
  held: Set<number>,
  random: SeededRandom,
): void {
  const key = random.below(300);
  const leave = (keys: readonly number[]) => {
    for (const left of keys) {
      ok(charges.delete(left), `${left} was resident`);
      ok(!held.has(left), `${left} was not held`);
    }
  };
  switch (random.below(12)) {
    case 0:
      cache.removed(key);
      charges.delete(key);
      return;
    case 1:
      if (held.size >= 20) return;
      cache.hold(key);
      held.add(key);
      return;
    case 2:
      cache.release(key);
      held.delete(key);
      return;
    case 3:
      cache.planned(key, random.below(2) === 0 ? random.below(1_000) : Infinity);
      return;
    case 4:
      return leave(cache.evict(random.below(50), random.below(2) === 0 ? "any" : "dead"));
    default: {
      const sizeBytes = 1 + key % 17;
      cache.access(key, sizeBytes);
      const admission = cache.admit(key, sizeBytes);
      if (admission.kind === "refuse") return;
      leave(admission.evict);
      charges.set(key, sizeBytes);
    }
  }
}

for (const policy of POLICIES) {
  Deno.test(`${policy} keeps its book straight whatever happens`, async () => {
    await withSeed(1, (random) => {
      const cache = residency(policy, 500, 50);
      const charges = new Map<number, number>();
      const held = new Set<number>();
      for (let i = 0; i < 30_000; i += 1) {
        randomStep(cache, charges, held, random);
        equal(cache.count, charges.size);
        equal(cache.usedBytes, [...charges.values()].reduce((sum, charge) => sum + charge, 0));
        ok(cache.usedBytes <= 500);
      }
      for (const key of held) cache.release(key);
      const left = cache.evict(Infinity, "any");
      deepEqual(left.toSorted(), [...charges.keys()].toSorted());
    });
  });
}

Deno.test("a claim displaces what is worth more, but nothing that is held or planned", () => {
  const cache = residency("adaptive");
  fill(cache, ...TEN);
  for (let epoch = 0; epoch < 4; epoch += 1) for (const key of TEN) cache.access(key, 1);
  equal(read(cache, 98).kind, "refuse");
  cache.hold(0);
  cache.planned(1, 5);
  const claimed = cache.claim(99, 8);
  ok(claimed.kind === "admit");
  deepEqual(claimed.evict.toSorted(), [2, 3, 4, 5, 6, 7, 8, 9]);
  deepEqual(cache.claim(100, 9), { kind: "refuse" });
  equal(cache.usedBytes, 10);
});

Deno.test("a claim of what is there keeps it, and what it is charged", () => {
  const cache = residency("lru");
  fill(cache, 1, 2, 3);
  deepEqual(cache.claim(2, 1), { kind: "admit", evict: [] });
  equal(cache.usedBytes, 3);
  equal(residency("none", 1).claim(5, 2).kind, "refuse");
});

Deno.test("a residency tells when an object would leave", () => {
  const cache = residency("adaptive");
  fill(cache, 1, 2, 3, 4);
  cache.hold(1);
  cache.planned(2, 7);
  equal(cache.describe(99), null);
  deepEqual(cache.describe(1), { chargeBytes: 1, departure: { kind: "held" } });
  deepEqual(cache.describe(2)?.departure, { kind: "planned", nextUse: 7 });
  equal(cache.describe(3)?.departure.kind, "ranked");
  cache.claim(4, 1);
  const [unclaimed, claimed] = [cache.describe(3)?.departure, cache.describe(4)?.departure];
  ok(unclaimed?.kind === "ranked" && claimed?.kind === "ranked");
  ok(claimed.worth > unclaimed.worth);
});
