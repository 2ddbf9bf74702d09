import { deepEqual, equal, match, ok } from "node:assert/strict";
import { BackendError } from "../../cache/backend/backend.ts";
import { CacheDiskError } from "../../cache/disk/cache_disk_error.ts";
import { eventually } from "../../tests/support/eventually.ts";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { sampleBytes } from "../../tests/support/sample_bytes.ts";
import { WarmStore } from "../../tests/support/warm_store.ts";
import { HeldAnswers } from "../../tests/support/watched_backend.ts";

const MIB = 1 << 20;
const NEVER = new AbortController().signal;

function seed({ backend }: WarmStore, paths: readonly string[], bytes = 1_000): void {
  for (const [index, path] of paths.entries()) backend.seed(path, sampleBytes(bytes, index));
}

function numbered(count: number, directory = "train"): string[] {
  return Array.from({ length: count }, (_, index) => `${directory}/${1_000 + index}`);
}

const WANTED = {
  mode: "warm",
  globs: true,
  recursive: true,
  bytesMax: 0,
  workers: 2,
  detach: false,
} as const;
const ROOT = { reader: { uid: 0, gids: [0] }, isOperator: true };

const TREE = ["train/a.tar", "train/b.tar", "train/deep/c.tar", "train/deep/d.txt", "top.tar"];

/** What is warmed by each way of naming it. */
const NAMED: readonly (readonly [string, boolean, readonly string[]])[] = [
  ["store", true, TREE],
  ["/mnt/store/train", true, TREE.slice(0, 4)],
  ["store/train", false, ["train/a.tar", "train/b.tar"]],
  ["store/train/deep/c.tar", true, ["train/deep/c.tar"]],
  ["store/train/*.tar", true, ["train/a.tar", "train/b.tar"]],
  ["store/*/deep/?.t[xy]t", true, ["train/deep/d.txt"]],
  ["store/**/*.tar", true, ["train/a.tar", "train/b.tar", "train/deep/c.tar", "top.tar"]],
  ["st*/train/**", true, TREE.slice(0, 4)],
  [".", true, TREE],
];

for (const [path, recursive, files] of NAMED) {
  const how = recursive ? "" : " without what is below it";
  Deno.test(`"${path}"${how} means ${files.length} files of a tree`, async () => {
    await using store = await WarmStore.open();
    seed(store, TREE);
    const status = await store.warm([path], { recursive });
    deepEqual(store.read, [...files].sort());
    equal(status.state, "done");
    equal(status.files_done, files.length);
    equal(status.bytes_done, files.length * 1_000);
  });
}

Deno.test("Names that are there are no patterns, whatever is in them", async () => {
  await using store = await WarmStore.open();
  seed(store, ["train/[1]*", "train/1"]);
  await store.warm(["store/train/[1]*"]);
  deepEqual(store.read, ["train/[1]*"]);
});

Deno.test("Paths that lead nowhere fail with their reasons, and the rest is warm", async () => {
  await using store = await WarmStore.open();
  seed(store, ["train/a"]);
  const paths = ["store/train/a", "store/none", "store/no*", "/etc", "other/x", "store/../x"];
  const { state, failures, files_done, files_failed } = await store.warm(paths);
  deepEqual([state, files_done, files_failed], ["failed", 1, 5]);
  deepEqual(failures.map(({ reason }) => reason).sort(), [
    '".." is not followed',
    'it is not below "/mnt"',
    "nothing is there",
    "nothing is there",
    "nothing matches",
  ]);
});

Deno.test("What is cached is skipped, and only what is new counts against the limit", async () => {
  await using store = await WarmStore.open();
  seed(store, numbered(10));
  for (const wanted of [4, 8, 10]) {
    const status = await store.warm(["store/train"], { bytesMax: 4_500, workers: 1 });
    equal(status.files_done, wanted);
    equal(status.state, wanted === 10 ? "done" : "capped");
    ok(status.bytes_fetched <= 4_000);
  }
  equal(store.backend.bytesRead, 10_000);
  const { state, bytes_skipped, bytes_fetched } = await store.warm(["store/train"]);
  deepEqual([state, bytes_skipped, bytes_fetched], ["done", 10_000, 0]);
  equal(store.backend.bytesRead, 10_000);
});

Deno.test("A limit of 0 new bytes is none", async () => {
  await using store = await WarmStore.open();
  seed(store, numbered(10));
  equal((await store.warm(["store/train"], { bytesMax: 0 })).files_done, 10);
});

Deno.test("An object that changes while it is warmed is warm in its new version", async () => {
  await using store = await WarmStore.open();
  seed(store, ["train/a", "train/b"]);
  const held = new HeldAnswers();
  store.backend.answering = held.answering;
  const run = await store.begin(["store/train"]);
  await eventually("both are asked for", () => Promise.resolve(held.waiting.length === 2));
  store.backend.seed("train/a", sampleBytes(2_000, 99));
  store.backend.answering = (_range, _signal, pass) => pass();
  held.letGo();
  await run.ended;
  const status = run.status();
  deepEqual([status.state, status.files_done, status.bytes_total], ["done", 2, 3_000]);
});

Deno.test("Checking says how much is cached, and fetches nothing", async () => {
  await using store = await WarmStore.open();
  seed(store, numbered(6));
  await store.warm(["store/train/100[0-3]"]);
  const before = store.backend.reads.length;
  const status = await store.warm(["store/train"], { mode: "check" });
  deepEqual([status.files_done, status.files_total], [4, 6]);
  deepEqual([status.bytes_done, status.bytes_total], [4_000, 6_000]);
  equal(store.backend.reads.length, before);
});

Deno.test("A cache without room for more ends a job, which keeps what it brought in", async () => {
  await using store = await WarmStore.open({ sizeBytesMax: 8 * MIB, blockBytes: MIB });
  seed(store, numbered(20), MIB);
  const { state, reason, files_done } = await store.warm(["store/train"], { workers: 1 });
  equal(state, "full");
  equal(files_done, 8);
  match(reason ?? "", /no room for 1 MiB of "store\/train\/1008"/);
  const check = await store.warm(["store/train"], { mode: "check" });
  equal(check.files_done, 8);
});

Deno.test("Files that fail are named with their causes, and the rest is warm", async () => {
  await using store = await WarmStore.open();
  seed(store, numbered(10));
  store.backend.answering = (range, _signal, pass) => {
    if (!range.path.endsWith("3")) return pass();
    const reason = "the key is not valid";
    return Promise.reject(new BackendError("denied", "store", "read", range.path, reason));
  };
  const { state, files_done, failures } = await store.warm(["store/train"]);
  deepEqual([state, files_done], ["failed", 9]);
  deepEqual(failures.map(({ path }) => path), ["store/train/1003"]);
  match(failures[0]?.reason ?? "", /the key is not valid/);
});

Deno.test("A store that goes away in the middle is waited for", async () => {
  const clock = new FakeClock();
  await using store = await WarmStore.open({}, clock);
  seed(store, numbered(20));
  let isDown = false;
  store.backend.answering = (range, _signal, pass) => {
    if (store.backend.reads.length === 8) isDown = true;
    if (!isDown) return pass();
    const reason = "connection refused";
    return Promise.reject(new BackendError("unavailable", "store", "read", range.path, reason));
  };
  const run = await store.begin(["store/train"]);
  await eventually("it waits", () => Promise.resolve(run.status().state === "waiting"));
  match(run.status().reason ?? "", /connection refused/);
  isDown = false;
  await eventually("it is through", async () => {
    await clock.advance(2_000);
    return run.isEnded;
  });
  deepEqual([run.status().state, run.status().files_done], ["done", 20]);
});

Deno.test("A cache whose disk fails in the middle is waited for", async () => {
  const clock = new FakeClock();
  await using store = await WarmStore.open({}, clock);
  seed(store, numbered(20));
  const held = new HeldAnswers();
  store.backend.answering = held.answering;
  const run = await store.begin(["store/train"]);
  await eventually("files are on their way", () => Promise.resolve(held.waiting.length === 4));
  store.process.health.failed(new CacheDiskError("failed", "write", "/cache", "no answer"));
  store.backend.answering = (_range, _signal, pass) => pass();
  held.letGo();
  await eventually("it waits", () => Promise.resolve(run.status().state === "waiting"));
  equal(run.status().reason, "Cannot keep it: no answer");
  await eventually("it is through", async () => {
    await clock.advance(2_000);
    return run.isEnded;
  });
  deepEqual([run.status().state, run.status().files_done], ["done", 20]);
});

Deno.test("A job ends with its client, and a detached one does not", async () => {
  await using store = await WarmStore.open();
  seed(store, numbered(40));
  const held = new HeldAnswers();
  store.backend.answering = held.answering;
  const left = new AbortController();
  const attached = await store.begin(["store/train"], {}, left.signal);
  const detached = await store.begin(["store/train"], { detach: true }, left.signal);
  await eventually("both have begun", () => Promise.resolve(held.waiting.length > 0));
  left.abort();
  await attached.ended;
  equal(attached.status().state, "cancelled");
  store.backend.answering = (_range, _signal, pass) => pass();
  held.letGo();
  await detached.ended;
  deepEqual([detached.status().state, detached.status().files_done], ["done", 40]);
});

Deno.test("A detached job whose client leaves before all its paths are there ends", async () => {
  await using store = await WarmStore.open();
  seed(store, numbered(4));
  const left = new AbortController();
  const wanted = { ...WANTED, detach: true };
  const begun = store.jobs.begin(wanted, ROOT, left.signal);
  ok(begun.kind === "begun");
  await begun.run.add(["store/train"], true, NEVER);
  left.abort();
  await begun.run.ended;
  equal(begun.run.status().state, "cancelled");
});

Deno.test("A list of paths comes in parts, no faster than it is worked through", async () => {
  await using store = await WarmStore.open();
  const paths = numbered(60);
  seed(store, paths);
  const begun = store.jobs.begin(WANTED, ROOT, NEVER);
  ok(begun.kind === "begun");
  const parts = Array.from({ length: 12 }, (_, part) => paths.slice(part * 5, part * 5 + 5));
  for (const [index, part] of parts.entries()) {
    await begun.run.add(part.map((path) => `store/${path}`), index < 11, NEVER);
  }
  await begun.run.ended;
  deepEqual([begun.run.status().files_done, begun.run.status().paths], [60, 60]);
});

Deno.test("Users warm only what they may read, a few jobs at a time", async () => {
  await using store = await WarmStore.open();
  seed(store, numbered(4));
  store.backend.answering = new HeldAnswers().answering;
  const begin = (uid: number, gids: readonly number[]) =>
    store.jobs.begin(WANTED, { reader: { uid, gids }, isOperator: false }, NEVER);
  const denied = begin(1_000, [1_000]);
  equal(denied.kind === "refused" && denied.why, "not readable");
  for (let job = 0; job < 4; job += 1) equal(begin(1_000, [0]).kind, "begun");
  const refused = begin(1_000, [0]);
  equal(refused.kind === "refused" && refused.why, "too many jobs");
  equal(begin(1_001, [0]).kind, "begun");
  equal(store.jobs.list(1_000).length, 4);
  equal(store.jobs.list("everybody").length, 5);
});

Deno.test("Jobs that ended long ago are forgotten", async () => {
  await using store = await WarmStore.open();
  seed(store, numbered(1));
  for (let job = 0; job < 70; job += 1) await store.warm(["store/train"], { mode: "check" });
  ok(store.jobs.list("everybody").length <= 65);
  equal(store.jobs.find("1"), null);
  ok(store.jobs.find("70") !== null);
});

Deno.test("A reader waits for one request of a warm job at most", async () => {
  await using store = await WarmStore.open({ fetchesMax: 4, blockBytes: MIB });
  seed(store, [...numbered(30), "read/0", "read/1", "read/2"], MIB);
  const held = new HeldAnswers();
  store.backend.answering = held.answering;
  const run = await store.begin(["store/train"], { workers: 16 });
  const asked = () => held.waiting.map(({ range }) => range.path);
  // Three of four requests: the fourth is for readers.
  await eventually("all it may have is under way", () => Promise.resolve(asked().length === 3));
  const readers = [0, 1, 2].map((index) => readAll(store, `read/${index}`));
  await eventually("a reader is served", () => Promise.resolve(asked().length === 4));
  equal(asked()[3], "read/0");
  // Each request of the job that ends makes room for a reader, not for the rest of the job.
  for (const next of ["read/1", "read/2"]) {
    held.waiting.shift()?.letGo();
    await eventually(`${next} is asked for`, () => Promise.resolve(asked().length === 4));
    equal(asked()[3], next);
  }
  store.backend.answering = (_range, _signal, pass) => pass();
  held.letGo();
  await Promise.all(readers);
  await run.ended;
  equal(run.status().files_done, 30);
});

Deno.test("A reader that wants what a warm job waits for is served first", async () => {
  await using store = await WarmStore.open({ fetchesMax: 4, blockBytes: MIB });
  seed(store, numbered(30), MIB);
  const held = new HeldAnswers();
  store.backend.answering = held.answering;
  const run = await store.begin(["store/train"], { workers: 16 });
  await eventually("it is under way", () => Promise.resolve(held.waiting.length === 3));
  const waits = "train/1012";
  ok(!held.waiting.some(({ range }) => range.path === waits));
  const reader = readAll(store, waits);
  await eventually("it is asked for", () => Promise.resolve(held.waiting.length === 4));
  equal(held.waiting[3]?.range.path, waits);
  store.backend.answering = (_range, _signal, pass) => pass();
  held.letGo();
  await reader;
  await run.ended;
  equal(store.backend.reads.filter(({ path }) => path === waits).length, 1);
});

async function readAll({ backend, process }: WarmStore, path: string): Promise<void> {
  const entry = await backend.stat(path, NEVER);
  ok(entry?.kind === "object");
  const object = await process.open(path, entry);
  try {
    const ready = object.readNow(0, entry.sizeBytes);
    if (ready === null) (await object.read(0, entry.sizeBytes, NEVER)).release();
  } finally {
    object.close();
  }
}
