/** The promises about who stays, held against traces, seeded. */
import { equal, ok } from "node:assert/strict";
import { type SeededRandom, withSeed } from "../../tests/support/seeded_random.ts";
import {
  belady,
  type CacheOnTrace,
  ours,
  oursPlanned,
  step,
  tinyLfu,
} from "../../tests/trace_policies.ts";
import {
  bytesOf,
  dataSet,
  epochs,
  inPieces,
  mixed,
  shuffled,
  type TraceRead,
  workers,
  zipf,
} from "../../tests/trace_workloads.ts";
import { createResidency } from "./resident_book.ts";

const CACHE = 400;
const adaptive = ours("adaptive");
const lru = ours("lru");

/** The share of reads from `from` on that hit. */
function hitRate(
  cache: CacheOnTrace,
  trace: readonly TraceRead[],
  from: number,
  capacityBytes = CACHE,
): number {
  const hits = cache(trace, capacityBytes).slice(from);
  return hits.filter(Boolean).length / hits.length;
}

function within(actual: number, wanted: number, tolerance: number, what: string): void {
  const off = Math.abs(actual - wanted);
  ok(off <= tolerance, `${what}: hit rate ${actual.toFixed(3)}, wanted ${wanted.toFixed(3)}`);
}

function times(ratio: number, firstKey = 0): TraceRead[] {
  return dataSet(firstKey, Math.round(ratio * CACHE));
}

for (const ratio of [1.2, 2, 4, 10]) {
  Deno.test(`shuffled epochs over ${ratio} times the cache hit as Belady does`, async () => {
    await withSeed(1, (random) => {
      const data = times(ratio);
      const trace = epochs(data, 5, random);
      const rate = hitRate(adaptive, trace, data.length);
      within(rate, 1 / ratio, 0.005, "adaptive");
      within(rate, hitRate(belady, trace, data.length), 0.005, "against Belady");
      ok(hitRate(lru, trace, data.length) < rate - 0.05, "LRU does worse");
      ok(hitRate(tinyLfu, trace, data.length) < rate - 0.05, "W-TinyLFU does worse");
    });
  });
}

Deno.test("every epoch from the second on hits by the size of the cache", async () => {
  await withSeed(2, (random) => {
    const data = times(2);
    const hits = adaptive(epochs(data, 20, random), CACHE);
    for (let epoch = 1; epoch < 20; epoch += 1) {
      const inEpoch = hits.slice(epoch * data.length, (epoch + 1) * data.length);
      within(inEpoch.filter(Boolean).length / data.length, 0.5, 0.01, `epoch ${epoch + 1}`);
    }
  });
});

for (const spread of [0, 0.03, 0.1, 0.3]) {
  Deno.test(`eight workers whose speeds differ by ${spread} hit by the cache's size`, async () => {
    await withSeed(3, (random) => {
      for (const ratio of [2, 4]) {
        const data = times(ratio);
        const trace = workers(data, 8, 8, spread, random);
        within(hitRate(adaptive, trace, data.length), 1 / ratio, 0.03, `${ratio} times`);
      }
    });
  });
}

for (const readers of [1, 8, 64]) {
  Deno.test(`${readers} readers in the middle of objects make one use of each`, async () => {
    await withSeed(4, (random) => {
      const data = times(2);
      const trace = inPieces(epochs(data, 5, random), 16, readers, random);
      within(hitRate(adaptive, trace, 16 * data.length), 0.5, 0.01, "adaptive");
    });
  });
}

for (const [dead, live] of [[1.5, 2], [0.8, 2], [0.3, 2], [2, 1.2], [10, 2]]) {
  const title = `data of ${live} times the cache displaces dead data of ${dead} in two epochs`;
  Deno.test(title, async () => {
    await withSeed(5, (random) => {
      const before = epochs(times(dead ?? 1), 5, random);
      const after = times(live ?? 1, 1_000_000);
      const trace = [...before, ...epochs(after, 3, random)];
      const third = before.length + 2 * after.length;
      within(hitRate(adaptive, trace, third), Math.min(1, 1 / (live ?? 1)), 0.01, "third epoch");
    });
  });
}

Deno.test("one huge scan does not flush a hot set, alone or among its reads", async () => {
  await withSeed(6, (random) => {
    const hot = times(0.6);
    const before = epochs(hot, 3, random);
    const scan = times(20, 1_000_000);
    const after = epochs(hot, 1, random);
    equal(hitRate(adaptive, [...before, ...scan, ...after], before.length + scan.length), 1);
    const among = [...before, ...mixed(zipf(hot, 0, 8_000, random), scan, 0.3, random)];
    const hits = adaptive(among, CACHE).slice(before.length);
    const hotReads = among.slice(before.length).map(({ key }) => key < 1_000_000);
    ok(hits.every((hit, i) => hit || hotReads[i] !== true), "Every hot read hits");
  });
});

Deno.test("a scan in the middle of training costs the training nothing", async () => {
  await withSeed(7, (random) => {
    const data = times(2);
    const before = [...epochs(data, 4, random), ...times(10, 1_000_000)];
    const trace = [...before, ...epochs(data, 3, random)];
    within(hitRate(adaptive, trace, before.length), 0.5, 0.01, "after the scan");
  });
});

Deno.test("a validation set read within each epoch stays, and the rest hits as ever", async () => {
  await withSeed(15, (random) => {
    const validation = times(0.2, 1_000_000);
    const trace = epochs(times(2), 10, random).flatMap((read, i) =>
      i % 200 === 199 ? [read, ...shuffled(validation, random)] : [read]
    );
    // In an epoch four passes over 80 objects and 320 of 800 others can hit.
    const rate = hitRate(adaptive, trace, 2 * (800 + 4 * 80));
    within(rate, (4 * 80 + 320) / (800 + 4 * 80), 0.01, "adaptive");
  });
});

Deno.test("after a restart live data stay, and dead data make way as ever", async () => {
  await withSeed(16, (random) => {
    const data = times(2);
    for (const [left, wanted] of [[data, 1], [times(1, 1_000_000), 0]] as const) {
      const residency = createResidency({
        policy: "adaptive",
        capacityBytes: CACHE,
        ghostsMax: 10_000,
      });
      const resident = new Set<number>();
      for (const { key, sizeBytes } of shuffled(left, random).slice(0, CACHE)) {
        residency.restore(key, sizeBytes);
        resident.add(key);
      }
      const hits = epochs(data, 3, random).map((read) => step(residency, resident, read, CACHE));
      const rates = [0, 1, 2].map((epoch) =>
        hits.slice(epoch * data.length, (epoch + 1) * data.length).filter(Boolean).length /
        data.length
      );
      within(rates[0] ?? 0, 0.5 * wanted, 0.01, "first epoch after the start");
      within(rates[2] ?? 0, 0.5, 0.01, "third epoch after the start");
    }
  });
});

Deno.test("two data sets, the smaller passed over more often: both are served", async () => {
  await withSeed(8, (random) => {
    const small = epochs(times(0.6), 100, random);
    const large = epochs(times(5, 1_000_000), 6, random);
    const trace = mixed(small, large, 0.5, random);
    const rate = hitRate(adaptive, trace, trace.length / 2);
    within(rate, hitRate(tinyLfu, trace, trace.length / 2), 0.05, "against W-TinyLFU");
  });
});

for (const skew of [0.7, 0.9, 1.1]) {
  Deno.test(`Zipf reads with skew ${skew} hit about as with W-TinyLFU`, async () => {
    await withSeed(9, (random) => {
      const trace = zipf(times(10), skew, 60 * CACHE, random);
      const rate = hitRate(adaptive, trace, 20 * CACHE);
      ok(rate > hitRate(tinyLfu, trace, 20 * CACHE) - 0.025, `Hit rate ${rate}`);
      ok(rate > hitRate(lru, trace, 20 * CACHE) + 0.04, `Hit rate ${rate}`);
    });
  });
}

/** Sizes over three orders of magnitude. */
function anySize(random: SeededRandom): () => number {
  return () => Math.ceil(4_096 * 1_000 ** random.next());
}

Deno.test("objects of varying sizes hit by bytes as the cache's size says", async () => {
  await withSeed(10, (random) => {
    const data = dataSet(0, 2_000, anySize(random));
    const capacityBytes = bytesOf(data) / 2;
    const trace = epochs(data, 5, random);
    const hits = adaptive(trace, capacityBytes);
    const later = trace.map((read, i) => ({ ...read, hit: hits[i] })).slice(data.length);
    within(bytesOf(later.filter(({ hit }) => hit)) / bytesOf(later), 0.5, 0.05, "bytes");
  });
});

Deno.test("dead objects of varying sizes make way for live ones", async () => {
  await withSeed(11, (random) => {
    const dead = dataSet(0, 1_000, anySize(random));
    const live = dataSet(1_000_000, 1_000, anySize(random));
    const before = epochs(dead, 4, random);
    const trace = [...before, ...epochs(live, 3, random)];
    const capacityBytes = bytesOf(live) / 2;
    const hits = adaptive(trace, capacityBytes);
    const third = trace.map((read, i) => ({ ...read, hit: hits[i] })).slice(-live.length);
    within(bytesOf(third.filter(({ hit }) => hit)) / bytesOf(third), 0.5, 0.05, "bytes");
  });
});

Deno.test("with a plan, hits are Belady's", async () => {
  await withSeed(12, (random) => {
    const traces = [
      epochs(times(2), 5, random),
      workers(times(2), 8, 6, 0.1, random),
      workers(times(4), 8, 5, 0.3, random),
      zipf(times(10), 0.9, 20 * CACHE, random),
      mixed(epochs(times(0.6), 20, random), epochs(times(5, 1_000_000), 3, random), 0.5, random),
    ];
    for (const trace of traces) {
      within(hitRate(oursPlanned(trace), trace, 0), hitRate(belady, trace, 0), 0.001, "planned");
    }
  });
});

Deno.test("a plan that workers follow only roughly loses little", async () => {
  await withSeed(13, (random) => {
    const plan = workers(times(2), 8, 6, 0.1, random);
    // Batches of 32 arrive in any order.
    const real = Array.from(
      { length: Math.ceil(plan.length / 32) },
      (_, batch) => shuffled(plan.slice(32 * batch, 32 * batch + 32), random),
    ).flat();
    within(hitRate(oursPlanned(plan), real, 0), hitRate(belady, real, 0), 0.02, "planned");
  });
});

Deno.test("none keeps what came first and evicts nothing", async () => {
  await withSeed(14, (random) => {
    const data = times(2);
    const none = ours("none");
    within(hitRate(none, epochs(data, 4, random), data.length), 0.5, 0.005, "one data set");
    const trace = [...epochs(data, 2, random), ...epochs(times(2, 1_000_000), 3, random)];
    equal(hitRate(none, trace, 2 * data.length), 0);
  });
});

Deno.test("warmed data is there for its first epoch, in spite of a scan", async () => {
  await withSeed(20, (random) => {
    const residency = createResidency({
      policy: "adaptive",
      capacityBytes: CACHE,
      ghostsMax: 1_000_000,
    });
    const resident = new Set<number>();
    for (const read of epochs(times(2), 4, random)) step(residency, resident, read, CACHE);
    const warmed = times(0.5, 1_000_000);
    // A job holds what it brought in until it ends.
    for (const { key, sizeBytes } of warmed) {
      residency.hold(key);
      const admission = residency.claim(key, sizeBytes);
      ok(admission.kind === "admit");
      for (const victim of admission.evict) resident.delete(victim);
      resident.add(key);
    }
    for (const { key } of warmed) residency.release(key);
    for (const read of times(5, 2_000_000)) step(residency, resident, read, CACHE);
    const first = epochs(warmed, 1, random).map((read) => step(residency, resident, read, CACHE));
    equal(first.every(Boolean), true);
  });
});
