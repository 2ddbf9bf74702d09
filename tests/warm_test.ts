/** `warpdrive ctl warm` on a real mount of a real store. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { installed, run } from "./support/command.ts";
import { eventually } from "./support/eventually.ts";
import { ROOT } from "./support/mounted.ts";
import { USER_ID } from "./support/ordinary_user.ts";
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

/** Requests for bytes that `act` leads to. */
async function readsDuring(act: () => Promise<unknown>): Promise<number> {
  const before = started().reads;
  await act();
  return started().reads - before;
}

/** Reads shard `index` of `world` through the kernel and compares it. */
async function readShard({ train }: WarmWorld, index: number): Promise<void> {
  const bytes = await Deno.readFile(`${train}/${shardNames(index + 1)[index]?.slice(6)}`);
  equal(Buffer.compare(bytes, shardBytes(index)), 0, `shard ${index}`);
}

/** Times and rates differ from run to run. */
function timeless(text: string): string {
  return text.replace(/ in [\d.]+(ms|s|m) at [\d.]+ MB\/s/g, " in TIME at RATE")
    .replace(/ in [\d.]+(ms|s|m)/g, " in TIME");
}

Deno.test("A directory is warm before it is read, and is read without the store", async () => {
  await using world = await WarmWorld.open(started(), "directory", { shards: 12 });
  const { code, stdout, stderr } = await world.warm(world.train);
  equal(stderr, "");
  equal(
    timeless(stdout),
    "Warm: 12 files, 2.3 MiB\n2.3 MiB fetched in TIME at RATE, 0 B were cached before\n",
  );
  equal(code, 0);
  const reads = await readsDuring(async () => {
    for (let index = 0; index < 12; index += 1) await readShard(world, index);
  });
  equal(reads, 0);
  const again = await world.warm("--resume", world.train);
  equal(
    timeless(again.stdout),
    "Warm: 12 files, 2.3 MiB\n0 B fetched in TIME, 2.3 MiB were cached before\n",
  );
});

Deno.test("Checking exits with 3 until everything is cached", async () => {
  await using world = await WarmWorld.open(started(), "checked", { shards: 10 });
  const before = await world.warm("--check", world.train);
  deepEqual(before, {
    code: 3,
    stdout: "Cached: 0 of 10 files, 0 B of 1.9 MiB (0.0%)\n",
    stderr: "",
  });
  equal((await world.warm(`${world.train}/shard-00[0-4]`)).code, 0);
  const half = await world.warm("--check", world.train);
  deepEqual([half.code, half.stdout], [
    3,
    "Cached: 5 of 10 files, 977 KiB of 1.9 MiB (50.0%)\n",
  ]);
  equal((await world.warm(world.train)).code, 0);
  const after = await world.warm("--check", world.train);
  deepEqual(after, { code: 0, stdout: "Cached: 10 files, 1.9 MiB (100.0%)\n", stderr: "" });
});

Deno.test("A list of paths is warmed line by line, from a file or standard input", async () => {
  await using world = await WarmWorld.open(started(), "listed", { shards: 8 });
  const list = `${world.mounted.place.root}/list`;
  await Deno.writeTextFile(list, `${world.train}/shard-000\r\n\n${world.train}/shard-003\n`);
  equal((await world.warm("-f", list)).code, 0);
  const { stdout } = await world.warm("--check", "--files-from", list);
  equal(stdout, "Cached: 2 files, 391 KiB (100.0%)\n");
  const all = await world.warm("--check", world.train);
  match(all.stdout, /^Cached: 2 of 8 files/);
  await Deno.writeTextFile(list, `${world.train}/shard-*\n`);
  const literal = await world.warm("-f", list);
  equal(literal.code, 1);
  match(literal.stderr, /^Failed "listed\/train\/shard-\*": nothing is there\n/);
  const missing = await world.warm("-f", `${list}-none`);
  equal(missing.code, 2);
  match(missing.stderr, /^Cannot read the list /);
});

Deno.test("--max-size counts new bytes only, so a job that is run again goes on", async () => {
  await using world = await WarmWorld.open(started(), "capped", { shards: 10 });
  const size = String(4 * SHARD_BYTES + 100);
  const first = await world.warm("--max-size", size, world.train);
  equal(first.code, 0);
  match(first.stdout, /^Warm: 4 of 10 files.*\nStopped: the limit of 781 KiB of new bytes/s);
  match((await world.warm("--max-size", size, world.train)).stdout, /^Warm: 8 of 10 files/);
  match((await world.warm("--max-size", size, world.train)).stdout, /^Warm: 10 files/);
  const none = await world.warm("--max-size", "0", world.train);
  deepEqual([none.code, none.stdout.split("\n")[0]], [0, "Warm: 10 files, 1.9 MiB"]);
});

Deno.test("Warm says as JSON what happens, one object per line", async () => {
  await using world = await WarmWorld.open(started(), "json", { shards: 5 });
  const { code, stdout } = await world.warm("--json", `${world.train}/none`, world.train);
  equal(code, 1);
  const records = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  equal(records[0].event, "begun");
  deepEqual(records.find(({ event }) => event === "failed"), {
    event: "failed",
    path: "json/train/none",
    reason: "nothing is there",
  });
  const { event, state, files_done, bytes_fetched, listed } = records.at(-1);
  deepEqual([event, state, files_done, bytes_fetched, listed], [
    ...["ended", "failed", 5],
    ...[5 * SHARD_BYTES, true],
  ]);
});

Deno.test("A detached job goes on, is listed, and can be cancelled", async () => {
  await using world = await WarmWorld.open(started(), "detached", { shards: 30 });
  const { proxy } = started();
  try {
    proxy.inject(STALL, Infinity, (request) => request.includes("shard-02"));
    const { code, stdout } = await world.warm("--detach", world.train);
    equal(code, 0);
    match(stdout, /^Job 1 goes on in the mount: /);
    await eventually("what can be had is there", async () => {
      return (await world.jobs())[0]?.files_done === 20;
    });
    const listed = await world.warm("--list", "--format", "csv", world.train);
    const [head = "", row = ""] = listed.stdout.split("\r\n");
    const fields = new Map(head.split(",").map((key, index) => [key, row.split(",")[index]]));
    deepEqual(["job", "mode", "path", "files_done", "files_total"].map((key) => fields.get(key)), [
      ...["1", "warm", "detached/train", "20", "30"],
    ]);
    const cancelled = await world.warm("--cancel", "1", world.train);
    equal(cancelled.stdout, "Cancelled job 1: 20 of 30 files, 3.8 MiB, are cached\n");
    equal((await world.jobs())[0]?.state, "cancelled");
    const again = await world.warm("--cancel", "1", world.train);
    equal(again.code, 1);
    match(again.stderr, /^Cancel warm job "1": it has ended, cancelled\n/);
  } finally {
    proxy.heal();
  }
  equal((await world.warm(world.train)).code, 0);
});

Deno.test("Ctrl+C ends the job and says how to go on", async () => {
  await using world = await WarmWorld.open(started(), "interrupted", { shards: 20 });
  const { proxy } = started();
  try {
    proxy.inject(STALL, Infinity, (request) => request.includes("shard-01"));
    const { child, result } = world.start(world.train);
    await eventually("half of it is there", async () => {
      return (await world.jobs())[0]?.files_done === 10;
    });
    child.kill("SIGINT");
    const { code, stderr } = await result;
    equal(code, 130);
    match(stderr, /^Left.*\. To go on, run it again: .*\nStopped by SIGINT\n$/);
    await eventually("the job has ended", async () => {
      return (await world.jobs())[0]?.state === "cancelled";
    });
  } finally {
    proxy.heal();
  }
  const { stdout } = await world.warm(world.train);
  match(stdout, /were cached before\n$/);
  ok(stdout.startsWith("Warm: 20 files"));
});

Deno.test("A client that is killed takes its job with it", async () => {
  await using world = await WarmWorld.open(started(), "killed", { shards: 4 });
  const { proxy } = started();
  try {
    proxy.inject(STALL, Infinity, (request) => request.includes("shard-"));
    const { child, result } = world.start(world.train);
    await eventually("it is under way", async () => (await world.jobs())[0]?.files_total === 4);
    child.kill("SIGKILL");
    await result;
    await eventually("the job has ended", async () => {
      const [job] = await world.jobs();
      return job?.state === "cancelled" && job.reason === "its client left";
    });
  } finally {
    proxy.heal();
  }
});

Deno.test("Without a mount there is nothing to warm with, which is said", async () => {
  const place = await Deno.makeTempDir();
  try {
    const { code, stderr } = await run(
      Deno.execPath(),
      ...["run", "-A", "--quiet", new URL("../main.ts", import.meta.url).pathname],
      ...["ctl", "warm", place],
    );
    equal(code, 1);
    match(stderr, /^Cannot warm without a running mount: Cannot find a mount above .*\nHint: /);
  } finally {
    await Deno.remove(place);
  }
});

Deno.test({
  name: "Users warm over the open socket what they may read, and nothing else",
  ignore: !ROOT || !installed("curl"),
  async fn() {
    const ask = async ({ mounted }: WarmWorld, container: string) => {
      const { stdout } = await run(
        "setpriv",
        ...[`--reuid=${USER_ID}`, `--regid=${USER_ID}`, "--clear-groups"],
        ...["curl", "--silent", "--unix-socket", `${mounted.place.root}/control/user.sock`],
        ...["--data", JSON.stringify({ paths: [container] }), "http://mount/v1/warm"],
      );
      return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
    };
    await using open = await WarmWorld.open(started(), "readable", { shards: 2 });
    const { event, uid, files_done } = await ask(open, "readable");
    deepEqual([event, uid, files_done], ["ended", USER_ID, 2]);
    const config = { owner: { file_mode: "0400" } };
    await using closed = await WarmWorld.open(started(), "secret", { shards: 2, config });
    equal((await ask(closed, "secret")).error.code, "forbidden");
  },
});
