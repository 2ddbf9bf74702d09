/** Plans handed to a real mount of a real store, by the example that users get. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { ControlClient } from "../ctl/client.ts";
import {
  PLAN_APPEND,
  PLAN_LIST,
  PLAN_OPEN,
  PLAN_PROGRESS,
  type PlanStatus,
} from "../ctl/api_plans.ts";
import { REPOSITORY } from "../infra/tools/source_tree.ts";
import { SOCKET_ATTRIBUTE } from "../ctl/api_sockets.ts";
import { succeed } from "./support/command.ts";
import { cachePlace } from "./support/cache_process.ts";
import { eventually } from "./support/eventually.ts";
import { mount, type Mounted } from "./support/mounted.ts";
import { RemoteStore } from "./support/remote_store.ts";
import { sampleBytes } from "./support/sample_bytes.ts";
import { SeededRandom } from "./support/seeded_random.ts";
import { shuffled } from "./trace_workloads.ts";

const SHARDS = 768;
const SHARD_BYTES = 128 * 1024;
const READERS = 8;
const NEVER = new AbortController().signal;
const NAMES = Array.from({ length: SHARDS }, (_, index) => `train/shard-${10_000 + index}.tar`);

let store: RemoteStore | null = null;
Deno.test.beforeAll(async () => {
  store = await RemoteStore.start();
  const objects = NAMES.map((name, index) => [name, sampleBytes(SHARD_BYTES, index)] as const);
  await store.container("shards", Object.fromEntries(objects));
});
Deno.test.afterAll(async () => {
  await store?.[Symbol.asyncDispose]();
});

async function mountWith(cache: string, maxBytes: number): Promise<Mounted> {
  if (store === null) throw new Error("The store has not been started");
  const backends = [store.backend("shards", "direct")];
  return await mount({
    config: { backends, cache: { path: cache, max_size: String(maxBytes) } },
    variables: store.variables,
  });
}

/** A client of the mount's user socket, which the root of the mount names. */
async function clientOf({ path }: Mounted): Promise<ControlClient> {
  const asking = "import os, sys; print(os.getxattr(sys.argv[1], sys.argv[2]).decode())";
  const socket = await succeed("python3", "-c", asking, path, SOCKET_ATTRIBUTE);
  return new ControlClient(socket.trim());
}

async function onlyPlan(client: ControlClient): Promise<PlanStatus | null> {
  const { plans } = await client.call(PLAN_LIST, {}, NEVER);
  return plans[0] ?? null;
}

function bytesRead(mounted: Mounted): Promise<number> {
  return mounted.metrics().then((metrics) =>
    metrics.get('warpdrive_backend_bytes_read_total{backend="shards"}') ?? 0
  );
}

/** Threads that each read the next file, directly: the kernel's own pages would hide the cache. */
const READING = `
import mmap, os, sys, threading
paths = iter(sys.stdin.read().splitlines())
turn = threading.Lock()
def read():
    buffer = mmap.mmap(-1, ${SHARD_BYTES})
    while True:
        with turn:
            path = next(paths, None)
        if path is None: return
        file = os.open(path, os.O_RDONLY | os.O_DIRECT)
        assert os.preadv(file, [buffer], 0) == ${SHARD_BYTES}
        os.close(file)
threads = [threading.Thread(target=read) for _ in range(${READERS})]
for thread in threads: thread.start()
for thread in threads: thread.join()
`;

/** Reads `order` with eight readers who each take the next one. */
async function readAll(mounted: Mounted, order: readonly number[]): Promise<void> {
  const child = new Deno.Command("python3", { args: ["-c", READING], stdin: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  const paths = order.map((shard) => `${mounted.path}/shards/${NAMES[shard]}`);
  await writer.write(new TextEncoder().encode(paths.join("\n")));
  await writer.close();
  equal((await child.status).code, 0);
}

const EXAMPLE = `
import os, sys
sys.path.insert(0, sys.argv[1])
from order_plan import OrderPlan
with OrderPlan([line.strip() for line in open(sys.argv[2])]) as plan:
    os.write(1, f"begun {plan.plan}".encode())
    sys.stdin.read()
`;

/** The example, holding a plan of `paths` until it is disposed or killed. */
async function planOf(paths: readonly string[]) {
  const list = await Deno.makeTempFile({ prefix: "warpdrive-" });
  await Deno.writeTextFile(list, paths.join("\n"));
  const child = new Deno.Command("python3", {
    args: ["-c", EXAMPLE, `${REPOSITORY}/infra/examples`, list],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  match(new TextDecoder().decode(value), /^begun \d+/);
  return {
    kill: () => child.kill("SIGKILL"),
    async [Symbol.asyncDispose]() {
      await child.stdin.close();
      await reader.cancel();
      await child.status;
      await Deno.remove(list);
    },
  };
}

Deno.test("With a plan, the second epoch costs what Belady's would, and 0.02", async () => {
  await using cache = await cachePlace();
  await using mounted = await mountWith(cache.path, SHARDS * SHARD_BYTES / 2);
  const random = new SeededRandom(41);
  const epochs = [1, 2, 3].map(() => shuffled([...NAMES.keys()], random));
  await using _plan = await planOf(
    epochs.flat().map((shard) => `${mounted.path}/shards/${NAMES[shard]}`),
  );
  const costs: number[] = [];
  for (const epoch of epochs) {
    const before = await bytesRead(mounted);
    await readAll(mounted, epoch);
    costs.push((await bytesRead(mounted) - before) / (SHARDS * SHARD_BYTES));
  }
  for (const cost of costs.slice(1)) ok(cost <= 0.52, `from the store: ${costs}`);
});

Deno.test("A plan whose process is killed ends, and the cache goes on", async () => {
  await using cache = await cachePlace();
  await using mounted = await mountWith(cache.path, SHARDS * SHARD_BYTES);
  const client = await clientOf(mounted);
  const order = shuffled([...NAMES.keys()], new SeededRandom(42));
  const plan = await planOf(order.map((shard) => `${mounted.path}/shards/${NAMES[shard]}`));
  await using _ended = plan;
  await eventually("it fetches ahead", async () => {
    return ((await onlyPlan(client))?.ahead_bytes ?? 0) > 0;
  });
  plan.kill();
  await eventually("the plan is gone", async () => await onlyPlan(client) === null);
  await readAll(mounted, order);
  equal(await bytesRead(mounted), SHARDS * SHARD_BYTES);
});

Deno.test("A job that reads another order than it planned loses nothing but its plan", async () => {
  await using cache = await cachePlace();
  await using mounted = await mountWith(cache.path, SHARDS * SHARD_BYTES / 2);
  const client = await clientOf(mounted);
  const random = new SeededRandom(43);
  const planned = shuffled([...NAMES.keys()], random);
  await using _plan = await planOf(
    planned.map((shard) => `${mounted.path}/shards/${NAMES[shard]}`),
  );
  await readAll(mounted, shuffled(planned, random));
  const status = await onlyPlan(client);
  ok(status !== null && status.strays > SHARDS / 4, JSON.stringify(status));
  const cost = await bytesRead(mounted) / (SHARDS * SHARD_BYTES);
  ok(cost <= 1.5, `from the store: ${cost}`);
});

Deno.test("A plan says what it took, follows reports and ends with its call", async () => {
  await using cache = await cachePlace();
  await using mounted = await mountWith(cache.path, SHARDS * SHARD_BYTES);
  const client = await clientOf(mounted);
  const items = [
    `${mounted.path}/shards/${NAMES[0]}`,
    { path: `shards/${NAMES[1]}`, offset: 4_096, length: 8_192 },
    "/elsewhere/file",
    ...NAMES.slice(2, 400).map((name) => `shards/${name}`),
    "shards/train/none.tar",
  ];
  const left = new AbortController();
  const records = client.stream(PLAN_OPEN, { items, window_bytes: 8 * SHARD_BYTES }, left.signal);
  const { value: begun } = await records.next();
  ok(begun?.event === "begun");
  deepEqual(begun.unresolved, [
    { path: "/elsewhere/file", reason: `it is not below "${mounted.path}"` },
  ]);
  equal(begun.end, 401);
  const { value: status } = await records.next();
  ok(status?.event === "status");
  equal(status.state, "following");
  const { plan } = begun;
  await client.call(PLAN_PROGRESS, { plan, position: 398 }, NEVER);
  const ended = await eventually("the end is ahead", async () => {
    const now = await onlyPlan(client);
    return now?.missing === 1 ? now : null;
  });
  equal(ended.position, 398);
  await client.call(PLAN_APPEND, { plan, items: [items[0] ?? ""], epochs: 3 }, NEVER);
  equal((await onlyPlan(client))?.end, 404);
  left.abort();
  await records.next().catch(() => undefined);
  await eventually("the plan is gone", async () => await onlyPlan(client) === null);
});
