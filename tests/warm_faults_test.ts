/** `warpdrive ctl warm` while stores, caches and mounts fail, and while others read. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { runProgram } from "./cli/run_program.ts";
import { eventually } from "./support/eventually.ts";
import { RemoteStore, STALL } from "./support/remote_store.ts";
import { SHARD_BYTES, shardBytes, shardNames, WarmWorld } from "./support/warm_world.ts";

let store: RemoteStore | null = null;
Deno.test.beforeAll(async () => {
  store = await RemoteStore.start();
});
Deno.test.afterAll(async () => {
  await store?.[Symbol.asyncDispose]();
});

function started(): RemoteStore {
  if (store === null) throw new Error("The store has not been started");
  return store;
}

const isShard = (request: string) => request.includes("/shard-");

Deno.test("A mount that is killed in the middle ends the command, with a message", async () => {
  await using world = await WarmWorld.open(started(), "killed", { shards: 10 });
  const { proxy } = started();
  try {
    proxy.inject(STALL, Infinity, isShard);
    const { result } = world.start(world.train);
    await eventually("it is under way", async () => (await world.jobs())[0]?.files_total === 10);
    world.mounted.program.signal("SIGKILL");
    const { code, stderr } = await result;
    equal(code, 1);
    match(stderr, /^Read the answer of the mount at .*: it broke off.*\nHint: /);
  } finally {
    proxy.heal();
  }
});

Deno.test("A mount that stops in the middle says so, and the command ends", async () => {
  await using world = await WarmWorld.open(started(), "stopped", { shards: 10 });
  const { proxy } = started();
  try {
    proxy.inject(STALL, Infinity, isShard);
    const { result } = world.start(world.train);
    await eventually("it is under way", async () => (await world.jobs())[0]?.files_total === 10);
    equal(await world.mounted.stop("SIGTERM"), 0);
    const { code, stderr } = await result;
    equal(code, 1);
    match(stderr, /^The mount is stopping\n/);
  } finally {
    proxy.heal();
  }
});

Deno.test("Files that fail are named at the end, and the others are warm", async () => {
  await using world = await WarmWorld.open(started(), "failing", { shards: 12 });
  const { proxy } = started();
  const body = '<?xml version="1.0"?><Error><Code>AuthorizationFailure</Code></Error>';
  const headers = { "content-type": "application/xml", "x-ms-error-code": "AuthorizationFailure" };
  try {
    const isThird = (request: string) => /shard-0\d3/.test(request);
    proxy.inject({ kind: "answer", status: 403, headers, body }, Infinity, isThird);
    const { code, stdout, stderr } = await world.warm(world.train);
    equal(code, 1);
    match(stdout, /^Warm: 11 of 12 files, /);
    match(
      stderr,
      /^Failed "failing\/train\/shard-003": Cannot read .*\nCannot warm everything: 1 /,
    );
  } finally {
    proxy.heal();
  }
  match((await world.warm(world.train)).stdout, /^Warm: 12 files, .*\n195 KiB fetched/);
});

Deno.test("An outage in the middle is waited for", async () => {
  await using world = await WarmWorld.open(started(), "outage", { shards: 40 });
  const { proxy } = started();
  try {
    proxy.inject(STALL, Infinity, (request) => /shard-0[1-3]/.test(request));
    const { result } = world.start(world.train);
    await eventually("a part is there", async () => (await world.jobs())[0]?.files_done === 10);
    proxy.heal();
    proxy.refuse();
    await eventually("it waits", async () => (await world.jobs())[0]?.state === "waiting");
    await proxy.accept();
    const { code, stdout } = await result;
    match(stdout, /^Warm: 40 files, 7\.6 MiB\n/);
    equal(code, 0);
  } finally {
    await proxy.accept();
  }
});

Deno.test("A cache without room says how much fits, and keeps what was warmed", async () => {
  const max = 10 * SHARD_BYTES + 1_000;
  const cache = { max_size: String(max), block_size: "128KiB" };
  await using world = await WarmWorld.open(started(), "full", { shards: 20, cache });
  const { code, stdout, stderr } = await world.warm("--workers", "1", world.train);
  equal(code, 1);
  match(stdout, /^Warm: 10 of 20 files, 1\.9 MiB of 3\.8 MiB\n/);
  match(
    stderr,
    /^Cannot warm everything: the cache has no room for 195 KiB of "full\/train\/shard-010"/,
  );
  match((await world.warm("--check", world.train)).stdout, /^Cached: 10 of 20 files/);
});

Deno.test("Warming, reading and evicting at once serve the right bytes", async () => {
  await using world = await WarmWorld.open(started(), "busy", { shards: 30 });
  const { train } = world;
  let isOver = false;
  const reading = (async () => {
    for (let index = 0; !isOver; index = (index + 7) % 30) {
      const bytes = await Deno.readFile(`${world.mounted.path}/busy/${shardNames(30)[index]}`);
      equal(Buffer.compare(bytes, shardBytes(index)), 0, `shard ${index}`);
    }
  })();
  const evicting = (async () => {
    let evictions = 0;
    for (; !isOver; evictions += 1) {
      const { code, stderr } = await runProgram(["ctl", "evict", train], {}, {});
      equal(code, 0, stderr);
    }
    return evictions;
  })();
  const codes: number[] = [];
  try {
    for (let round = 0; round < 6; round += 1) {
      const { code, stderr } = await world.warm(train);
      codes.push(code);
      // What was evicted under its hands is named; nothing else may fail.
      const others = stderr.split("\n").filter((line) =>
        line.startsWith("Failed") && !/it was evicted|Nobody waits/.test(line)
      );
      deepEqual(others, []);
    }
  } finally {
    isOver = true;
    // Neither outlives the mount, whatever went wrong.
    await Promise.allSettled([reading, evicting]);
  }
  await reading;
  ok(await evicting > 0);
  ok(codes.every((code) => code === 0 || code === 1), `${codes}`);
  equal((await world.warm(train)).code, 0);
  equal((await world.warm("--check", train)).code, 0);
});
