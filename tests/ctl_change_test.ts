/** Commands that change the cache, on real mounts and on caches that nobody has mounted. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { CHUNK_BYTES } from "../cache/object/chunk_map.ts";
import { type ProgramResult, runProgram } from "./cli/run_program.ts";
import { cachePlace, CacheProcess, dataFilesIn } from "./support/cache_process.ts";
import { succeed } from "./support/command.ts";
import { descriptorsOf } from "./support/descriptors.ts";
import { eventually } from "./support/eventually.ts";
import { mount, Mounted, type MountSettings } from "./support/mounted.ts";
import { createPlace } from "./support/place.ts";
import { Program } from "./support/program.ts";
import { RemoteStore } from "./support/remote_store.ts";
import { sampleBytes } from "./support/sample_bytes.ts";
import { WatchedBackend } from "./support/watched_backend.ts";

const MIB = 1 << 20;
const OBJECTS = {
  "train/a": sampleBytes(9 * MIB + 5, 31),
  "train/b": sampleBytes(300_000, 32),
  "train-x/c": sampleBytes(2 * MIB, 33),
  ...Object.fromEntries(
    Array.from({ length: 12 }, (_, number) => [`bulk/${number}`, sampleBytes(4 * MIB, number)]),
  ),
} as const;
type Key = keyof typeof OBJECTS | `bulk/${number}`;
const A_BYTES = 9 * MIB + 5;

let store: RemoteStore | null = null;
Deno.test.beforeAll(async () => {
  store = await RemoteStore.start();
  await store.container("objects", OBJECTS);
});
Deno.test.afterAll(async () => {
  await store?.[Symbol.asyncDispose]();
});

function settings(cache: string, maxSize = "1GiB"): MountSettings {
  if (store === null) throw new Error("The store has not been started");
  const backends = [store.backend("objects", "direct")];
  return {
    config: { backends, cache: { path: cache, max_size: maxSize } },
    variables: store.variables,
  };
}

function contentOf(key: Key): Uint8Array {
  const content = Object.entries(OBJECTS).find(([name]) => name === key)?.[1];
  if (content === undefined) throw new Error(`There is no object ${key}`);
  return content;
}

/** Reads objects whose bytes the kernel does not keep from earlier reads. */
async function reads(mounted: Mounted, ...keys: readonly Key[]): Promise<void> {
  for (const key of keys) {
    const path = `${mounted.path}/objects/${key}`;
    await succeed("dd", `if=${path}`, "iflag=nocache", "count=0", "status=none");
    const bytes = await Deno.readFile(path);
    equal(Buffer.compare(bytes, contentOf(key)), 0, key);
  }
}

/** Runs a command of ctl against the mount. */
async function ctl({ place }: Mounted, ...args: readonly string[]): Promise<ProgramResult> {
  return await runProgram(["ctl", ...args, "--socket", `${place.root}/control`], {}, {});
}

/** The one object a command printed as JSON. */
async function json(mounted: Mounted, ...args: readonly string[]): Promise<unknown> {
  const { code, stdout, stderr } = await ctl(mounted, ...args, "--format", "json");
  deepEqual([code, stderr], [0, ""]);
  return JSON.parse(stdout);
}

async function metric(mounted: Mounted, name: string): Promise<number> {
  return (await mounted.metrics()).get(`warpdrive_${name}`) ?? 0;
}

function fetched(mounted: Mounted): Promise<number> {
  return metric(mounted, 'backend_bytes_read_total{backend="objects"}');
}

/** All of an open file from `offset` on. */
async function rest(file: Deno.FsFile, offset: number): Promise<Uint8Array> {
  await file.seek(offset, Deno.SeekMode.Start);
  const parts: Uint8Array[] = [];
  const buffer = new Uint8Array(MIB);
  for (let count = await file.read(buffer); count !== null; count = await file.read(buffer)) {
    parts.push(buffer.slice(0, count));
  }
  return Buffer.concat(parts);
}

async function damage(file: string, offset: number): Promise<void> {
  using open = await Deno.open(file, { write: true });
  await open.seek(offset, Deno.SeekMode.Start);
  await open.write(new Uint8Array([1, 2, 3, 4]));
}

/** Paths of the cache's data files that have `bytes`. */
async function dataFilesOf(cache: string, bytes: number): Promise<string[]> {
  const files: string[] = [];
  for (const file of await dataFilesIn(cache)) {
    if ((await Deno.stat(file)).size === bytes) files.push(file);
  }
  return files;
}

Deno.test("evict takes a directory out, says how much, and a dry run takes nothing", async () => {
  await using cache = await cachePlace();
  await using mounted = await mount(settings(cache.path));
  await reads(mounted, "train/a", "train/b", "train-x/c");
  const train = `${mounted.path}/objects/train`;
  const expected = { objects: 2, bytes: A_BYTES + 300_000, open_bytes: 0, pinned: 0 };
  deepEqual(await json(mounted, "evict", train, "--dry-run"), {
    ...{ result: "would be evicted", ...expected },
  });
  equal(
    (await ctl(mounted, "evict", train, "--dry-run")).stdout,
    `RESULT      would be evicted
OBJECTS     2
BYTES       9.3 MiB
STILL OPEN  0 B
PINNED      0
`,
  );
  deepEqual(await json(mounted, "evict", train, `${train}/b`), { result: "evicted", ...expected });
  await eventually("the files are gone", async () => (await dataFilesIn(cache.path)).length === 1);
  const before = await fetched(mounted);
  await reads(mounted, "train-x/c");
  equal(await fetched(mounted), before);
  await reads(mounted, "train/a");
  equal(await fetched(mounted), before + A_BYTES);
});

Deno.test("evict by age leaves what is small, and what somebody has open", async () => {
  await using cache = await cachePlace();
  await using mounted = await mount(settings(cache.path));
  await reads(mounted, "train/a", "train/b", "train-x/c");
  using _open = await Deno.open(`${mounted.path}/objects/train/a`);
  const args = ["evict", "--stale", "0", "--min-size", "1MiB"];
  deepEqual(await json(mounted, ...args), {
    ...{ result: "evicted", objects: 1, bytes: 2 * MIB, open_bytes: 0, pinned: 0 },
  });
  const { stdout } = await ctl(mounted, "evict", "--stale", "1", "--format", "csv");
  equal(stdout, "result,objects,bytes,open_bytes,pinned\r\nevicted,0,0,0,0\r\n");
});

Deno.test("evict breaks nobody who reads, by way of the daemon or past it", async () => {
  await using cache = await cachePlace();
  await using mounted = await mount(settings(cache.path));
  const path = `${mounted.path}/objects/train/a`;
  const wanted = contentOf("train/a");
  const evictOpen = async () => {
    const evicted = await json(mounted, "evict", `${mounted.path}/objects/train`);
    ok(evicted !== null && typeof evicted === "object" && "open_bytes" in evicted);
    ok(Number(evicted.open_bytes) > 0);
    await eventually("its name is gone", async () => (await dataFilesIn(cache.path)).length === 0);
  };
  {
    // Nothing is cached when it is opened, so the daemon serves it.
    using file = await Deno.open(path);
    await file.read(new Uint8Array(CHUNK_BYTES));
    await evictOpen();
    equal(Buffer.compare(await rest(file, 0), wanted), 0);
  }
  await reads(mounted, "train/a");
  if (mounted.passthrough) {
    await eventually("it is passed through", async () => {
      await reads(mounted, "train/a");
      return await metric(mounted, "passthrough_opens_total") > 0;
    });
  }
  using file = await Deno.open(path);
  await file.read(new Uint8Array(CHUNK_BYTES));
  await evictOpen();
  const before = await fetched(mounted);
  equal(Buffer.compare(await rest(file, 0), wanted), 0);
  if (mounted.passthrough) equal(await fetched(mounted), before);
  await reads(mounted, "train/a");
});

Deno.test("what is pinned stays when the cache is full, and over a restart", async () => {
  await using cache = await cachePlace();
  await using place = await createPlace();
  const bulk = Array.from({ length: 12 }, (_, number) => `bulk/${number}` as const);
  const [pinned = "bulk/0", ...others] = bulk;
  {
    await using mounted = await Mounted.start(place, settings(cache.path, "24MiB"));
    await reads(mounted, pinned);
    deepEqual(await json(mounted, "pin", `${mounted.path}/objects/${pinned}`), {
      ...{ objects: 1, bytes: 4 * MIB, incomplete: 0, refused: 0, pinned_bytes: 4 * MIB },
    });
    equal(await mounted.stop("SIGTERM"), 0);
  }
  await using mounted = await Mounted.start(place, settings(cache.path, "24MiB"));
  await reads(mounted, ...others, ...others);
  const before = await fetched(mounted);
  await reads(mounted, pinned);
  equal(await fetched(mounted), before);
  const all = `${mounted.path}/objects`;
  equal(
    (await ctl(mounted, "evict", all, "--format", "csv")).stdout.trimEnd().endsWith(",1"),
    true,
  );
  await reads(mounted, pinned);
  equal(await fetched(mounted), before);
  deepEqual(await json(mounted, "unpin", all), { objects: 1, pinned_bytes: 0 });
  deepEqual(await json(mounted, "evict", all), {
    ...{ result: "evicted", objects: 1, bytes: 4 * MIB, open_bytes: 0, pinned: 0 },
  });
});

Deno.test("pin says what it could not pin, and what is missing of the rest", async () => {
  await using cache = await cachePlace();
  await using mounted = await mount(settings(cache.path, "10MiB"));
  await reads(mounted, "train/b");
  {
    // Nothing is read ahead of one read in the middle.
    using file = await Deno.open(`${mounted.path}/objects/bulk/0`);
    await file.seek(2 * MIB, Deno.SeekMode.Start);
    await file.read(new Uint8Array(4_096));
  }
  const objects = `${mounted.path}/objects`;
  const paths = [`${objects}/train/b`, `${objects}/bulk/0`, `${objects}/train-x`];
  const { code, stdout, stderr } = await ctl(mounted, "pin", ...paths);
  equal(code, 1);
  match(
    stdout,
    /^PINNED {9}2\nBYTES +\S+ KiB\nINCOMPLETE {5}1\nREFUSED {8}0\nPINNED IN ALL {2}4\.3 MiB\n$/,
  );
  match(stderr, /^Cannot pin ".*\/objects\/train-x": nothing of it is cached\nHint: .* warm/);
});

/** Resolves when `bytes` are on disk: a reader has its bytes before the cache has. */
async function kept(mounted: Mounted, bytes: number): Promise<void> {
  await eventually("what was read is kept", async () => {
    const { stdout } = await ctl(mounted, "verify", "--format", "json");
    return JSON.parse(stdout).bytes === bytes;
  });
}

Deno.test("verify finds what was damaged, names it, and it is fetched again", async () => {
  await using cache = await cachePlace();
  await using mounted = await mount(settings(cache.path));
  await reads(mounted, "train/a", "train/b", "train-x/c");
  const total = A_BYTES + 300_000 + 2 * MIB;
  await kept(mounted, total);
  deepEqual(await json(mounted, "verify"), {
    ...{ result: "right", objects: 3, bytes: total, damaged_objects: 0, damaged_bytes: 0 },
  });
  const [file = ""] = await dataFilesOf(cache.path, 2 * MIB);
  await damage(file, CHUNK_BYTES + 7);
  const { code, stdout, stderr } = await ctl(mounted, "verify", "--format", "json");
  equal(code, 1);
  deepEqual(JSON.parse(stdout), {
    ...{ result: "damaged", objects: 3, bytes: total - CHUNK_BYTES },
    ...{ damaged_objects: 1, damaged_bytes: CHUNK_BYTES },
  });
  match(stderr, /^Damaged: \/.*\/objects\/train-x\/c \(128 KiB\)\n/);
  const before = await fetched(mounted);
  await reads(mounted, "train-x/c");
  equal(await fetched(mounted), before + CHUNK_BYTES);
  await kept(mounted, total);
  deepEqual(await ctl(mounted, "verify", `${mounted.path}/objects/train-x`), {
    code: 0,
    stdout: `RESULT           right
OBJECTS          1
RIGHT BYTES      2 MiB
DAMAGED OBJECTS  0
DAMAGED BYTES    0 B
`,
    stderr: "",
  });
  // The damage is what this mount has to log as an error.
  const isError = ({ level }: { readonly level: string }) => level === "error";
  await eventually(
    "the damage is logged",
    () => Promise.resolve(mounted.program.log.some(isError)),
  );
  equal(mounted.program.log.splice(0).filter(isError).length, 1);
});

Deno.test("evict, pin and verify work on the cache itself while no mount runs", async () => {
  await using cache = await cachePlace();
  await using place = await createPlace();
  const config = ["--config", `${place.root}/config.yaml`];
  const run = (...args: readonly string[]) =>
    runProgram(["ctl", ...args, ...config, "--format", "json"], {}, {});
  {
    await using mounted = await Mounted.start(place, settings(cache.path));
    await reads(mounted, "train/a", "train/b", "train-x/c");
    equal(await mounted.stop("SIGTERM"), 0);
  }
  const alone = `No mount runs: working on the cache in "${cache.path}" itself\n`;
  const at = (path: string) => `${place.mountPoint}/objects/${path}`;
  const pinned = await run("pin", at("train/b"));
  deepEqual([pinned.code, pinned.stderr], [0, alone]);
  const evicted = await run("evict", at("train"));
  deepEqual([evicted.code, JSON.parse(evicted.stdout)], [0, {
    ...{ result: "evicted", objects: 1, bytes: A_BYTES, open_bytes: 0, pinned: 1 },
  }]);
  deepEqual((await dataFilesIn(cache.path)).length, 2);
  const [file = ""] = await dataFilesOf(cache.path, 2 * MIB);
  await damage(file, 3);
  const verified = await run("verify");
  equal(verified.code, 1);
  match(verified.stderr, /Damaged: .*\/objects\/train-x\/c \(128 KiB\)/);
  equal(JSON.parse(verified.stdout)["damaged_bytes"], CHUNK_BYTES);
  equal((await run("verify")).code, 0);
  deepEqual(JSON.parse((await run("unpin", place.mountPoint)).stdout), {
    ...{ objects: 1, pinned_bytes: 0 },
  });
  // A page of the index that no look at a few rows comes by.
  await damage(`${cache.path}/index.sqlite`, 5 * 4_096 + 8);
  const unindexed = await run("verify");
  equal(unindexed.code, 1, unindexed.stderr);
  match(unindexed.stderr, /Damaged: the index/);
});

Deno.test("job-report keeps the last word on each job, on a mount and without", async () => {
  await using cache = await cachePlace();
  await using place = await createPlace();
  const report = (
    id: string,
    status: string,
  ) => ["job-report", "--job-id", id, "--user", "ada", "--status", status];
  {
    await using mounted = await Mounted.start(place, settings(cache.path));
    equal((await ctl(mounted, ...report("1", "RUNNING"))).code, 0);
    equal((await ctl(mounted, ...report("2", "FAILED"))).code, 0);
    match((await ctl(mounted, ...report("1", "0:0"))).stdout, /^JOB +1\nUSER +ada\nSTATUS +0:0\n/);
    equal(await mounted.stop("SIGTERM"), 0);
  }
  const config = ["--config", `${place.root}/config.yaml`];
  const offline = await runProgram(["ctl", ...report("3", "0"), ...config], {}, {});
  equal(offline.code, 0, offline.stderr);
  await using mounted = await Mounted.start(place, settings(cache.path));
  const { stdout } = await ctl(mounted, "job-report", "--list", "--format", "csv");
  const lines = stdout.trimEnd().split("\r\n").map((line) => line.split(",").slice(0, 3).join());
  deepEqual(lines, ["job_id,user,status", "3,ada,0", "1,ada,0:0", "2,ada,FAILED"]);
});

Deno.test("commands that change the cache say why they may not, or cannot", async () => {
  await using cache = await cachePlace();
  await using mounted = await mount(settings(cache.path));
  const objects = `${mounted.path}/objects`;
  const user = `${mounted.place.root}/control/user.sock`;
  const changes = [["evict", objects], ["pin", objects], ["unpin", objects], ["verify"]];
  for (const args of [...changes, ["job-report", "--list"]]) {
    const { code, stderr } = await runProgram(["ctl", ...args, "--socket", user], {}, {});
    equal(code, 1, args[0]);
    match(stderr, /user\.sock does not offer it, wanted admin\.sock\nHint: .*root/, args[0]);
  }
  const outside = await ctl(mounted, "evict", objects, mounted.place.source);
  equal(outside.code, 1);
  match(outside.stderr, /Find ".*\/source" in the cache: it is not below ".*\/mount"\nHint: /);
  const nowhere = ["ctl", "verify", "--socket", `${mounted.place.root}/nowhere`];
  match((await runProgram(nowhere, {}, {})).stderr, /no mount listens there.*\nHint: /);
  const config = await mounted.place.configure({
    mount_point: mounted.place.source,
    backends: [{ name: "data", type: "local", config: { root: cache.path } }],
    cache: { path: cache.path, max_size: "1GiB" },
    control: { path: `${mounted.place.root}/nowhere` },
  });
  const locked = await runProgram(["ctl", "verify", "--config", config], {}, {});
  equal(locked.code, 1);
  match(locked.stderr, new RegExp(`Cannot use cache ".*": process ${mounted.program.pid} uses it`));
});

Deno.test("verify ends with an error when its mount is killed in the middle", async () => {
  await using cache = await cachePlace();
  const backend = new WatchedBackend("gone");
  {
    // Each costs the mount a look into its index: enough of them to be killed among.
    await using filler = await CacheProcess.start(cache.path, backend);
    const content = sampleBytes(CHUNK_BYTES, 1);
    for (let number = 0; number < 1_500; number += 1) {
      await filler.readsAs(`${number}`, backend.seed(`${number}`, content), content);
    }
    await filler.settled();
    await filler.allClosed();
  }
  await using mounted = await mount(settings(cache.path));
  const args = ["ctl", "verify", "--socket", `${mounted.place.root}/control`];
  const sockets = async () => await descriptorsOf(mounted.program.pid, "socket:");
  const idle = await sockets();
  await using verify = Program.start(args);
  await eventually("it is asked, and reads data files", async () => {
    return await sockets() > idle &&
      await descriptorsOf(mounted.program.pid, `${cache.path}/data/`) > 0;
  });
  mounted.program.signal("SIGKILL");
  equal(await verify.exit(), 1);
  const said = verify.log.map(({ message }) => message).join("\n");
  match(said, /Read the answer of the mount at ".*": it broke off, as when a mount ends.*\nHint: /);
});
