/** The trainer over real mounts of a real store: what it computes, and what the plan is worth. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { TextLineStream } from "../cache/platform/text_lines.ts";
import { shardOrder } from "../forge/train/shard_order.ts";
import { findShards } from "../forge/train/shards.ts";
import { PLAN_LIST, PLAN_OPEN } from "../ctl/api_plans.ts";
import { ControlClient } from "../ctl/client.ts";
import { programCommand } from "./cli/run_program.ts";
import { cachePlace } from "./support/cache_process.ts";
import { eventually } from "./support/eventually.ts";
import { forgeRun } from "./support/forge_run.ts";
import { mount, type Mounted } from "./support/mounted.ts";
import { USER_ID } from "./support/ordinary_user.ts";
import { RemoteStore } from "./support/remote_store.ts";
import { shardName, tarShard, writeShards } from "./support/tar_shards.ts";

const SHARDS = 192;
const SHAPE = { samples: 8, imageBytes: 30_000 };
const EPOCH_SAMPLES = SHARDS * SHAPE.samples;
const BATCH = 32;
const SEED = 42;
const NEVER = new AbortController().signal;
const EPOCH_STEPS = EPOCH_SAMPLES / BATCH;

let store: RemoteStore | null = null;
let raw = "";
/** Of all shards. */
let dataBytes = 0;
Deno.test.beforeAll(async () => {
  raw = await Deno.makeTempDir({ prefix: "warpdrive-forge-" });
  store = await RemoteStore.start();
  const numbers = [...Array(SHARDS).keys()];
  await writeShards(`${raw}/shards`, numbers, SHAPE);
  const objects = numbers.map(async (number) => {
    const bytes = await tarShard(number, SHAPE);
    dataBytes += bytes.length;
    return [shardName(number), bytes] as const;
  });
  await store.container("shards", Object.fromEntries(await Promise.all(objects)));
});
Deno.test.afterAll(async () => {
  await store?.[Symbol.asyncDispose]();
  await Deno.remove(raw, { recursive: true });
});

async function mountWith(cache: Readonly<Record<string, unknown>>): Promise<Mounted> {
  if (store === null) throw new Error("The store has not been started");
  const backends = [store.backend("shards", "direct")];
  return await mount({ config: { backends, cache }, variables: store.variables });
}

async function bytesRead(mounted: Mounted): Promise<number> {
  const metrics = await mounted.metrics();
  return metrics.get('warpdrive_backend_bytes_read_total{backend="shards"}') ?? 0;
}

/** Trains over the shards below `directory`. */
function trainOn(directory: string, epochs: number, ...args: readonly string[]) {
  const steps = String(epochs * EPOCH_STEPS);
  const sizes = ["--steps", steps, "--batch-size", String(BATCH), "--num-workers", "4"];
  return forgeRun("/", "--train-root", `${directory}/shards`, ...sizes, ...args);
}

Deno.test("forge computes the same over raw files and a mount, cold and warm", async () => {
  await using cache = await cachePlace();
  await using mounted = await mountWith({ path: cache.path });
  const plain = await trainOn(raw, 1);
  equal(plain.stderr, "");
  const cold = await trainOn(mounted.path, 1);
  equal(await bytesRead(mounted), dataBytes);
  const warm = await trainOn(mounted.path, 1);
  equal(await bytesRead(mounted), dataBytes);
  deepEqual(cold, plain);
  deepEqual(warm, plain);
});

function linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): ReadableStream<string> {
  return stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
}

/**
 * Takes the kernel's pages of files away, as data larger than the memory would. By another user:
 * the opens of the one who trains tell the mount how far his plan is.
 */
const FORGETTING = `
import os, sys
os.setuid(${USER_ID})
for line in sys.stdin:
    for path in line.split():
        file = os.open(path, os.O_RDONLY)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(file)
    print("forgotten", flush=True)
`;

/**
 * Trains for some epochs while the kernel forgets each shard that is behind. The trainer waits for
 * it after each step: on a busy machine it would find in memory what should long be forgotten.
 */
async function trainForgetting(directory: string, epochs: number, args: readonly string[]) {
  const root = `${directory}/shards`;
  const shards = await findShards([root], NEVER);
  const order = shardOrder(shards, SEED);
  const forgetting = new Deno.Command("python3", {
    args: ["-c", FORGETTING],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const forget = forgetting.stdin.getWriter();
  const forgotten = linesOf(forgetting.stdout)[Symbol.asyncIterator]();
  const steps = ["--steps", String(epochs * EPOCH_STEPS), "--batch-size", String(BATCH)];
  // Little read-ahead: what is forgotten is behind, and never being read.
  const small = ["--num-workers", "4", "--read-ahead", "1MiB", "--seed", String(SEED)];
  const child = programCommand(
    ["forge", "--train-root", root, ...steps, ...small, "--json", "--log-every", "1", ...args],
    "/",
    {},
  ).spawn();
  const errors = new Response(child.stderr).text();
  const losses: unknown[] = [];
  for await (const line of linesOf(child.stdout)) {
    losses.push(JSON.parse(line).loss);
    // It may have ended already.
    if (losses.length >= epochs * EPOCH_STEPS) continue;
    child.kill("SIGSTOP");
    try {
      const behind = Array.from({ length: BATCH / SHAPE.samples }, () => order.next().value.path);
      await forget.write(new TextEncoder().encode(`${behind.join(" ")}\n`));
      equal((await forgotten.next()).value, "forgotten");
    } finally {
      child.kill("SIGCONT");
    }
  }
  await forget.close();
  await forgetting.status;
  equal((await child.status).code, 0);
  return { losses, stderr: await errors };
}

/** Bytes from the store, in epochs, and what the run computed, with half of the data cached. */
async function halfCached(...args: readonly string[]) {
  await using cache = await cachePlace();
  const half = String(Math.round(dataBytes / 2));
  await using mounted = await mountWith({ path: cache.path, max_size: half, policy: "lru" });
  const run = await trainForgetting(mounted.path, 4, args);
  return { ...run, epochs: await bytesRead(mounted) / dataBytes };
}

Deno.test("With its plan, forge costs the store less over a cache of half the data", async () => {
  const without = await halfCached("--no-order-plan");
  const planned = await halfCached();
  equal(planned.stderr, "");
  deepEqual(planned.losses, without.losses);
  // Least recently used is worth little over shuffled epochs; the best is 1 + 3 times a half.
  const measured = `without: ${without.epochs}, with: ${planned.epochs}`;
  ok(without.epochs > 3.2, measured);
  ok(planned.epochs < 2.8, measured);
});

Deno.test("forge runs on with a warning when the mount takes no more plans", async () => {
  await using cache = await cachePlace();
  await using mounted = await mountWith({ path: cache.path });
  const left = new AbortController();
  const client = new ControlClient(`${mounted.place.root}/control/user.sock`);
  const others = Array.from(
    { length: 16 },
    () => client.stream(PLAN_OPEN, { items: [] }, left.signal),
  );
  for (const records of others) await records.next();
  const { samples, stderr } = await trainOn(mounted.path, 1);
  left.abort();
  for (const records of others) await records.next().catch(() => {});
  equal(samples, EPOCH_SAMPLES);
  match(stderr, /"level":"warn".*Read on without telling the mount the order.*has 16 already/);
});

Deno.test("forge makes its plan known while it runs, and no longer", async () => {
  await using cache = await cachePlace();
  await using mounted = await mountWith({ path: cache.path });
  const client = new ControlClient(`${mounted.place.root}/control/user.sock`);
  const running = trainOn(mounted.path, 12);
  const plan = await eventually("the plan follows the run", async () => {
    const { plans } = await client.call(PLAN_LIST, {}, NEVER);
    return plans.find(({ position, end }) => position > SHARDS && end > position) ?? null;
  });
  equal((await running).stderr, "");
  equal(plan.uid, Deno.uid());
  deepEqual([plan.missing, plan.skipped, plan.strays], [0, 0, 0]);
  // A second epoch was told when it was near, and nothing for after the end.
  ok(plan.end <= 12 * SHARDS);
  await eventually("the plan is gone", async () => {
    return (await client.call(PLAN_LIST, {}, NEVER)).plans.length === 0;
  });
});
