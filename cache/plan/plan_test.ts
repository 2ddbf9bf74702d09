/** What plans promise, held against traces, seeded. */
import { equal, ok } from "node:assert/strict";
import { withSeed } from "../../tests/support/seeded_random.ts";
import { PlannedCacheOnTrace } from "../../tests/trace_plans.ts";
import { belady } from "../../tests/trace_policies.ts";
import {
  bytesOf,
  dataSet,
  epochs,
  mixed,
  shuffled,
  type TraceRead,
} from "../../tests/trace_workloads.ts";

const CACHE = 400;
/** A hundredth of the cache. */
const WINDOW = 4;

/** Origin bytes of the reads from `from` on, as a share of what they read. */
function missRate(
  cache: PlannedCacheOnTrace,
  trace: readonly TraceRead[],
  from: number,
): number {
  for (const read of trace.slice(0, from)) cache.read(read);
  const before = cache.originBytes;
  for (const read of trace.slice(from)) cache.read(read);
  return (cache.originBytes - before) / bytesOf(trace.slice(from));
}

function beladyMissRate(trace: readonly TraceRead[], from: number): number {
  const hits = belady(trace, CACHE).slice(from);
  return 1 - hits.filter(Boolean).length / hits.length;
}

for (const ratio of [1.2, 2, 4, 10]) {
  Deno.test(`planned epochs over ${ratio} times the cache miss as Belady`, async () => {
    await withSeed(21, (random) => {
      const data = dataSet(0, Math.round(ratio * CACHE));
      const trace = epochs(data, 4, random);
      const cache = new PlannedCacheOnTrace(CACHE);
      cache.begin(trace, WINDOW);
      const rate = missRate(cache, trace, data.length);
      const best = beladyMissRate(trace, data.length);
      ok(rate <= best + 0.02, `misses ${rate.toFixed(3)}, Belady's ${best.toFixed(3)}`);
      equal(cache.wastedBytes, 0);
      // Everything but what was read before the window was ahead hits.
      ok(cache.hitBytes >= trace.length - 1, `hits ${cache.hitBytes} of ${trace.length}`);
    });
  });
}

Deno.test("workers that open files out of order are followed", async () => {
  await withSeed(22, (random) => {
    const data = dataSet(0, 2 * CACHE);
    const plan = epochs(data, 3, random);
    // Eight workers, each up to two files ahead of or behind its place.
    const real = plan.map((read, i) => ({ read, at: i + 16 * random.next() }))
      .sort((a, b) => a.at - b.at).map(({ read }) => read);
    const cache = new PlannedCacheOnTrace(CACHE);
    const { progress } = cache.begin(plan, WINDOW);
    equal(progress.aheadReads, WINDOW);
    const rate = missRate(cache, real, data.length);
    const best = beladyMissRate(real, data.length);
    ok(rate <= best + 0.02, `misses ${rate.toFixed(3)}, Belady's ${best.toFixed(3)}`);
  });
});

Deno.test("plans of several processes at different paces are merged", async () => {
  await withSeed(23, (random) => {
    const [fast, slow] = [dataSet(0, CACHE), dataSet(1_000_000, CACHE)];
    const [fastReads, slowReads] = [epochs(fast, 9, random), epochs(slow, 3, random)];
    const trace = mixed(fastReads, slowReads, 0.75, random);
    const cache = new PlannedCacheOnTrace(CACHE);
    cache.begin(fastReads, WINDOW / 2);
    cache.begin(slowReads, WINDOW / 2);
    const from = 4 * CACHE;
    const rate = missRate(cache, trace, from);
    const best = beladyMissRate(trace, from);
    ok(rate <= best + 0.02, `misses ${rate.toFixed(3)}, Belady's ${best.toFixed(3)}`);
  });
});

Deno.test("processes that read the same files and report how far they are share them", async () => {
  await withSeed(24, (random) => {
    const data = dataSet(0, 2 * CACHE);
    const parts = [epochs(data, 3, random), epochs(data, 3, random)];
    const trace: TraceRead[] = [];
    const cache = new PlannedCacheOnTrace(CACHE);
    const readers = parts.map((reads) => ({
      reads,
      done: 0,
      plan: cache.begin(reads, WINDOW / 2),
    }));
    let before = 0;
    for (let reader = random.pick(readers); reader.done < reader.reads.length;) {
      const read = reader.reads[reader.done];
      if (read === undefined) break;
      cache.report(reader.plan, reader.done);
      cache.read(read);
      reader.done += 1;
      trace.push(read);
      if (trace.length === data.length) before = cache.originBytes;
      reader = random.pick(readers);
    }
    const rate = (cache.originBytes - before) / (trace.length - data.length);
    const best = beladyMissRate(trace, data.length);
    ok(rate <= best + 0.02, `misses ${rate.toFixed(3)}, Belady's ${best.toFixed(3)}`);
  });
});

Deno.test("a plan that ends leaves a cache that goes on as before", async () => {
  await withSeed(25, (random) => {
    const data = dataSet(0, 2 * CACHE);
    const cache = new PlannedCacheOnTrace(CACHE);
    const planned = epochs(data, 4, random);
    const plan = cache.begin(planned, WINDOW);
    for (const read of planned.slice(0, 1.5 * data.length)) cache.read(read);
    cache.end(plan);
    const rest = epochs(data, 4, random);
    const own = missRate(cache, rest, data.length);
    ok(own < 0.52, `of its own data ${own} miss`);
    const others = epochs(dataSet(1_000_000, 2 * CACHE), 4, random);
    const other = missRate(cache, others, 3 * data.length);
    ok(other < 0.52, `of other data ${other} miss`);
  });
});

Deno.test("a plan that nobody follows costs no more than its window", async () => {
  await withSeed(26, (random) => {
    const data = dataSet(0, 2 * CACHE);
    const cache = new PlannedCacheOnTrace(CACHE);
    cache.begin(shuffled(dataSet(1_000_000, 4 * CACHE), random), WINDOW);
    const rate = missRate(cache, epochs(data, 4, random), 2 * data.length);
    ok(rate < 0.5 + 0.02, `misses ${rate.toFixed(3)}`);
  });
});

Deno.test("a reader that leaves out every third read is followed", async () => {
  await withSeed(27, (random) => {
    const data = dataSet(0, 2 * CACHE);
    const plan = epochs(data, 3, random);
    const real = plan.filter((_, i) => i % 3 !== 2);
    const cache = new PlannedCacheOnTrace(CACHE);
    const followed = cache.begin(plan, WINDOW);
    for (const read of real) cache.read(read);
    const { position, end, skipped } = followed.progress;
    ok(end - position <= 32, `at ${position} of ${end}`);
    ok(skipped > 0.3 * plan.length, `${skipped} left out`);
    ok(cache.hitBytes > 0.9 * real.length, `hits ${cache.hitBytes} of ${real.length}`);
  });
});

Deno.test("a reader that goes on elsewhere in its plan is found again", async () => {
  await withSeed(28, (random) => {
    const data = dataSet(0, 2 * CACHE);
    const plan = shuffled(data, random);
    const cache = new PlannedCacheOnTrace(CACHE);
    const followed = cache.begin(plan, WINDOW);
    for (const read of plan.slice(0, 10)) cache.read(read);
    for (const read of plan.slice(500)) cache.read(read);
    equal(followed.progress.position, plan.length);
    equal(followed.progress.strays, 4);
  });
});
