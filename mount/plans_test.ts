import { deepEqual, equal, match, ok } from "node:assert/strict";
import { BackendError } from "../cache/backend/backend.ts";
import { eventually } from "../tests/support/eventually.ts";
import { JOB_UID, PlannedStore } from "../tests/support/planned_store.ts";
import { sampleBytes } from "../tests/support/sample_bytes.ts";
import { SeededRandom } from "../tests/support/seeded_random.ts";
import { shuffled } from "../tests/trace_workloads.ts";

const MIB = 1 << 20;
const SHARD = 256 * 1024;

function shards(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `train/shard-${1_000 + index}.tar`);
}

/** Bytes of the shard that was seeded at `index`. */
function bytesOf(index: number): Uint8Array {
  return sampleBytes(SHARD, index);
}

/** As much is ahead as wanted, for which the store has been asked for so many reads in all. */
async function ahead(store: PlannedStore, reads: number, asked: number): Promise<void> {
  await eventually(`${reads} reads are ahead`, () => {
    const [running] = store.plans.list("everybody");
    const isAhead = running !== undefined && store.plans.status(running).ahead_reads === reads;
    // What is ahead is about to be fetched, on a busy machine not yet.
    return Promise.resolve(isAhead && store.backend.reads.length >= asked);
  });
  await store.process.settled();
}

Deno.test("A plan fetches what is read next, and no more than its window", async () => {
  await using store = await PlannedStore.open({ sizeBytesMax: 64 * MIB });
  const paths = store.seed(shards(40), SHARD);
  const ended = new AbortController();
  store.begin(paths, 1, 4 * SHARD, ended.signal);
  await ahead(store, 4, 4);
  deepEqual(store.backend.reads.map(({ path }) => path).sort(), paths.slice(0, 4));
  await store.read(paths[0] ?? "", bytesOf(0));
  await ahead(store, 4, 5);
  deepEqual(store.backend.reads.map(({ path }) => path).sort(), paths.slice(0, 5));
  equal(store.process.metrics.misses, 0);
  for (const [index, path] of paths.slice(1).entries()) {
    await store.read(path, bytesOf(index + 1));
    await ahead(store, Math.min(4, 38 - index), Math.min(40, index + 6));
  }
  equal(store.backend.bytesRead, 40 * SHARD);
  equal(store.process.metrics.misses, 0);
  const [running] = store.plans.list(JOB_UID);
  ok(running !== undefined);
  equal(store.plans.status(running).state, "complete");
});

Deno.test("Planned epochs over twice the cache cost half of what they read", async () => {
  await using store = await PlannedStore.open({ sizeBytesMax: 32 * SHARD * 4 });
  const count = 256;
  const paths = store.seed(shards(count), SHARD);
  const random = new SeededRandom(31);
  const order = [1, 2, 3].flatMap(() => shuffled([...paths.keys()], random));
  store.begin(order.map((index) => paths[index] ?? ""), 1, 2 * SHARD, new AbortController().signal);
  const costs: number[] = [];
  for (let epoch = 0; epoch < 3; epoch += 1) {
    const before = store.backend.bytesRead;
    for (const index of order.slice(epoch * count, (epoch + 1) * count)) {
      await store.read(paths[index] ?? "", bytesOf(index));
    }
    costs.push((store.backend.bytesRead - before) / (count * SHARD));
  }
  for (const cost of costs.slice(1)) ok(cost <= 0.5 + 0.02, `from the store: ${costs}`);
});

Deno.test("A plan ends with its signal, and the cache goes on without it", async () => {
  await using store = await PlannedStore.open({ sizeBytesMax: 64 * MIB });
  const paths = store.seed(shards(20), SHARD);
  const ended = new AbortController();
  store.begin(paths, 2, 4 * SHARD, ended.signal);
  await ahead(store, 4, 4);
  ended.abort();
  equal(store.plans.size, 0);
  for (const [index, path] of paths.entries()) await store.read(path, bytesOf(index));
  equal(store.backend.bytesRead, 20 * SHARD);
});

Deno.test("What changed or vanished since it was planned does no harm", async () => {
  await using store = await PlannedStore.open({ sizeBytesMax: 64 * MIB });
  const paths = store.seed(shards(6), SHARD);
  const ended = new AbortController();
  const planned = [...paths.slice(0, 3), "train/none.tar", ...paths.slice(3), "other/none.tar"];
  store.begin(planned, 1, 2 * SHARD, ended.signal);
  await ahead(store, 2, 2);
  store.backend.seed(paths[4] ?? "", sampleBytes(SHARD, 99));
  for (const index of [0, 1, 2, 3]) await store.read(paths[index] ?? "", bytesOf(index));
  const [running] = store.plans.list("everybody");
  ok(running !== undefined);
  await eventually("the new version is there", async () => {
    await store.process.settled();
    return store.backend.reads.filter(({ path }) => path === paths[5]).length === 1;
  });
  const before = store.backend.bytesRead;
  await store.read(paths[4] ?? "", sampleBytes(SHARD, 99));
  await store.read(paths[5] ?? "", bytesOf(5));
  equal(store.backend.bytesRead, before, "both were ahead");
  equal(store.plans.status(running).missing, 2);
});

Deno.test("A store that is down pauses a plan, which goes on when it is back", async () => {
  await using store = await PlannedStore.open({ sizeBytesMax: 64 * MIB });
  const paths = store.seed(shards(4), SHARD);
  let isDown = true;
  const { stat, list } = store.backend;
  const down = () => {
    const reason = "connection refused";
    return Promise.reject(new BackendError("unavailable", "store", "stat", "", reason));
  };
  store.backend.stat = (path, signal) => isDown ? down() : stat.call(store.backend, path, signal);
  store.backend.list = (path, token, signal) =>
    isDown ? down() : list.call(store.backend, path, token, signal);
  store.begin(paths, 1, 4 * SHARD, new AbortController().signal);
  const [running] = store.plans.list("everybody");
  ok(running !== undefined);
  await eventually("it pauses", () => {
    return Promise.resolve(store.plans.status(running).state === "paused");
  });
  isDown = false;
  await ahead(store, 4, 4);
  equal(store.backend.bytesRead, 4 * SHARD);
});

Deno.test("A cache that keeps nothing is not fetched into for long", async () => {
  await using store = await PlannedStore.open({ sizeBytesMax: 64 * MIB });
  const paths = store.seed(shards(40), SHARD);
  store.process.health.failed(new Error("The disk is gone"));
  store.begin(paths, 1, 40 * SHARD, new AbortController().signal);
  const [running] = store.plans.list("everybody");
  ok(running !== undefined);
  await eventually("it pauses", () => {
    return Promise.resolve(store.plans.status(running).state === "paused");
  });
  await store.process.settled();
  ok(store.backend.reads.length <= 20, `${store.backend.reads.length} reads in vain`);
});

Deno.test("Opens of other users tell nothing, and reports tell more than opens", async () => {
  await using store = await PlannedStore.open({ sizeBytesMax: 64 * MIB });
  const paths = store.seed(shards(20), SHARD);
  const reads = paths.map((path) => ({ path: `store/${path}`, offset: 0, length: Infinity }));
  const reader = { uid: JOB_UID + 1, gids: [] };
  const request = { reader, reads, epochs: 1, windowBytes: 2 * SHARD };
  const taken = store.plans.begin(request, new AbortController().signal);
  ok(taken.kind === "taken");
  await ahead(store, 2, 2);
  await store.read(paths[0] ?? "", bytesOf(0));
  equal(store.plans.status(taken.plan).position, 0);
  store.plans.reported(taken.plan, 10);
  await ahead(store, 2, 4);
  equal(store.plans.status(taken.plan).position, 10);
  ok(store.backend.reads.some(({ path }) => path === paths[11]));
});

Deno.test("Plans are refused beyond their bounds, with a hint", async () => {
  await using store = await PlannedStore.open({ sizeBytesMax: 64 * MIB });
  const reader = { uid: JOB_UID, gids: [] };
  const request = { reader, reads: [], epochs: 1, windowBytes: null };
  const { signal } = new AbortController();
  for (let plan = 0; plan < 16; plan += 1) equal(store.plans.begin(request, signal).kind, "taken");
  const refused = store.plans.begin(request, signal);
  ok(refused.kind === "refused");
  equal(refused.why, "too many plans");
  match(refused.message, /user 1000 has 16 already/);
  equal(store.plans.begin({ ...request, reader: { uid: 7, gids: [] } }, signal).kind, "taken");
});

Deno.test("Names that lead nowhere are said, and the rest is planned", async () => {
  await using store = await PlannedStore.open({ sizeBytesMax: 64 * MIB });
  const reads = ["/mnt/store/a", "/etc/passwd", "elsewhere/b", "store"].map((path) => {
    return { path, offset: 0, length: Infinity };
  });
  const request = { reader: { uid: 0, gids: [] }, reads, epochs: 3, windowBytes: null };
  const taken = store.plans.begin(request, new AbortController().signal);
  ok(taken.kind === "taken");
  deepEqual(taken.unresolved, [
    { path: "/etc/passwd", reason: 'it is not below "/mnt"' },
    { path: "elsewhere/b", reason: "no backend is mounted there" },
    { path: "store", reason: "it is a directory" },
  ]);
  equal(store.plans.status(taken.plan).end, 3);
});

Deno.test("A plan of a hundred thousand files is taken in pieces, in little memory", async () => {
  await using store = await PlannedStore.open({ sizeBytesMax: 64 * MIB });
  const count = 100_000;
  const reads = Array.from({ length: count }, (_, index) => {
    return { path: `store/class-${index % 100}/${index}.jpg`, offset: 0, length: Infinity };
  });
  const reader = { uid: JOB_UID, gids: [] };
  const request = { reader, reads: [], epochs: 1, windowBytes: null };
  const taken = store.plans.begin(request, new AbortController().signal);
  ok(taken.kind === "taken");
  for (let start = 0; start < count; start += 10_000) {
    equal(store.plans.append(taken.plan, reads.slice(start, start + 10_000), 1).kind, "taken");
  }
  equal(store.plans.status(taken.plan).end, count);
  const { sizeBytes } = taken.plan.plan.files;
  ok(sizeBytes < 15_000_000, `${sizeBytes} bytes`);
  const more = Array.from({ length: 10 }, () => store.plans.append(taken.plan, reads, 1).kind);
  equal(more.at(-1), "refused", "a plan holds a million reads");
});
