/** What operators see of a real mount by `warpdrive ctl`, and of its cache when it has ended. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { z } from "zod";
import { programCommand } from "./cli/run_program.ts";
import { cachePlace } from "./support/cache_process.ts";
import { installed, run, succeed } from "./support/command.ts";
import { eventually } from "./support/eventually.ts";
import { mount, Mounted, type MountSettings, ROOT } from "./support/mounted.ts";
import { createPlace } from "./support/place.ts";
import { RemoteStore } from "./support/remote_store.ts";
import { sampleBytes } from "./support/sample_bytes.ts";

const MIB = 1 << 20;
const BLOCK_BYTES = 4 * MIB;
const LARGE = sampleBytes(24 * MIB + 777, 61);
const LARGE_BLOCKS = Math.ceil(LARGE.length / BLOCK_BYTES);
const SMALL = sampleBytes(300_000, 62);
const ALL_BYTES = LARGE.length + 2 * SMALL.length;
const NOBODY = ["--reuid=65534", "--regid=65534", "--clear-groups"];

let store: RemoteStore | null = null;
Deno.test.beforeAll(async () => {
  store = await RemoteStore.start();
  await store.container("objects", { "train/large": LARGE, "train/deep/small": SMALL, top: SMALL });
});
Deno.test.afterAll(async () => {
  await store?.[Symbol.asyncDispose]();
});

function settings(cache: string, more: Readonly<Record<string, unknown>> = {}): MountSettings {
  if (store === null) throw new Error("The store has not been started");
  return {
    config: {
      backends: [store.backend("objects", "direct")],
      cache: { path: cache, max_size: "1GiB" },
      teams: { vision: { paths: ["objects/train/deep"] }, admins: { users: ["root"] } },
      ...more,
    },
    variables: store.variables,
  };
}

/** Runs `warpdrive ctl` with `args`, and with none of the store's credentials. */
async function ctl(...args: readonly string[]) {
  const { code, stdout, stderr } = await programCommand(["ctl", ...args], "/", {}).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** What it prints as JSON; it has to succeed. */
async function told<T extends z.ZodType>(
  schema: T,
  ...args: readonly string[]
): Promise<z.output<T>> {
  const { code, stdout, stderr } = await ctl(...args, "--format", "json");
  equal(code, 0, stderr);
  return schema.parse(JSON.parse(stdout));
}

const STATS = z.array(z.object({
  ...{ period: z.string(), backend: z.string(), entries: z.number(), cached_bytes: z.number() },
  ...{ hits: z.number(), misses: z.number(), fetched_bytes: z.number(), corruptions: z.number() },
}));
const USAGE = z.array(z.object({
  ...{ group: z.string().nullable(), backend: z.string(), files: z.number(), bytes: z.number() },
  ...{ last_access: z.string(), scope: z.string() },
}));
const STALE = z.array(z.object({ path: z.string(), last_access: z.string() }));
const EXPLANATION = z.object({
  file: z.object({
    ...{ key: z.string(), kept: z.string(), opens_as: z.string().nullable() },
    ...{ opens_as_reason: z.string().nullable(), directory_listed: z.string().nullable() },
  }),
  store: z.object({ state: z.string(), version: z.string().nullable() }),
  cached: z.array(z.object({
    ...{ version: z.string(), cached_bytes: z.number(), blocks: z.number() },
    ...{ blocks_present: z.number(), chunks_present: z.number(), last_access: z.string() },
    ...{ pinned: z.string(), departure: z.string().nullable(), uid: z.number().nullable() },
  })),
  open: z.array(z.object({ version: z.string(), mode: z.string(), opens: z.number() })),
});

/** The row of `backend` since the start, or over all mounts. */
async function statsOf(period: "start" | "all", backend: string, ...args: readonly string[]) {
  const rows = await told(STATS, "stats", ...args);
  const row = rows.find((each) => each.period === period && each.backend === backend);
  ok(row !== undefined, `There is a row of ${backend} in ${JSON.stringify(rows)}`);
  return row;
}

/** The same for the store's backend, once the index has all of what `readAll` read. */
async function committed(period: "start" | "all", ...args: readonly string[]) {
  return await eventually("all that was read is committed", async () => {
    const stats = await statsOf(period, "objects", ...args);
    const isWhole = stats.cached_bytes === ALL_BYTES && stats.fetched_bytes === ALL_BYTES;
    return isWhole ? stats : null;
  });
}

function groupsOf(rows: z.output<typeof USAGE>) {
  return rows.map(({ group, files, bytes }) => [group, files, bytes]);
}

async function readAll({ path }: Mounted): Promise<void> {
  for (const name of ["train/large", "train/deep/small", "top"]) {
    await Deno.readFile(`${path}/objects/${name}`);
  }
}

Deno.test("ctl shows a live mount and one file of it", async (test) => {
  await using cache = await cachePlace();
  await using mounted = await mount(settings(cache.path));
  const { path, program, place } = mounted;
  const large = `${path}/objects/train/large`;
  await test.step("status by a path below it, by its configuration and by a socket", async () => {
    const MOUNT = z.object({
      mount: z.object({ pid: z.number(), mount_point: z.string() }),
      kernel: z.object({ passthrough: z.string() }),
      cache: z.object({ state: z.string() }),
      backends: z.array(z.object({ name: z.string(), state: z.string(), names_from: z.string() })),
    });
    const ways = [
      [large],
      ["--config", `${place.root}/config.yaml`],
      ["--socket", `${place.root}/control`],
      ["--socket", `${place.root}/control/user.sock`],
    ];
    for (const way of ways) {
      const { mount, kernel, cache, backends } = await told(MOUNT, "status", ...way);
      deepEqual([mount.pid, mount.mount_point], [program.pid, path]);
      deepEqual([kernel.passthrough, cache.state], [mounted.passthrough ? "yes" : "no", "working"]);
      deepEqual(backends, [{ name: "objects", state: "healthy", names_from: "store" }]);
    }
  });
  await test.step("explain of what nobody has read, and of a part", async () => {
    const absent = await told(EXPLANATION, "explain", large);
    deepEqual([absent.file.kept, absent.store.state, absent.cached], ["cached", "found", []]);
    using open = await Deno.open(large);
    await open.read(new Uint8Array(4_096));
    await eventually("a part of it is cached", async () => {
      const { file, cached: [version], open } = await told(EXPLANATION, "explain", large);
      if (version === undefined || version.chunks_present === 0) return false;
      equal(file.opens_as, "daemon");
      deepEqual(open.map(({ mode, opens }) => [mode, opens]), [["cached", 1]]);
      deepEqual([version.blocks, version.departure], [LARGE_BLOCKS, "held"]);
      return version.chunks_present < LARGE.length / (128 * 1024);
    });
  });
  await test.step("explain of all of it, and how the next open reads", async () => {
    await readAll(mounted);
    await eventually("it would be passed through", async () => {
      const { file, store, cached } = await told(EXPLANATION, "explain", large);
      const [version] = cached;
      if (version?.blocks_present !== LARGE_BLOCKS) return false;
      deepEqual([version.version, version.cached_bytes], [store.version, LARGE.length]);
      equal(version.uid, Deno.uid());
      return file.opens_as === (mounted.passthrough ? "passthrough" : "daemon");
    });
    using _open = await Deno.open(large);
    const { open } = await told(EXPLANATION, "explain", large);
    deepEqual(open.map(({ mode, opens }) => [mode, opens]), [
      [mounted.passthrough ? "passthrough" : "cached", 1],
    ]);
  });
});

Deno.test("ctl shows what the cache of a live mount holds", async (test) => {
  await using cache = await cachePlace();
  await using mounted = await mount(settings(cache.path));
  const { path } = mounted;
  const large = `${path}/objects/train/large`;
  await readAll(mounted);
  await test.step("stats, where an open in passthrough counts each block of the file", async () => {
    const before = await committed("start", path);
    deepEqual([before.entries, before.corruptions], [3, 0]);
    ok(before.misses > 0);
    if (!mounted.passthrough) return;
    await eventually("it would be passed through", async () => {
      return (await told(EXPLANATION, "explain", large)).file.opens_as === "passthrough";
    });
    (await Deno.open(large)).close();
    await eventually("the open is counted", async () => {
      const { hits, misses } = await statsOf("start", "objects", path);
      equal(misses, before.misses);
      return hits >= before.hits + LARGE_BLOCKS;
    });
  });
  await test.step("usage by path, team, user and backend", async () => {
    const usage = async (...args: readonly string[]) =>
      groupsOf(await told(USAGE, "usage", ...args));
    deepEqual(await usage(path, "--depth", "2"), [
      [`${path}/objects/train`, 1, LARGE.length],
      [`${path}/objects`, 1, SMALL.length],
      [`${path}/objects/train/deep`, 1, SMALL.length],
    ]);
    deepEqual(await usage(`${path}/objects/train/deep`), [
      [`${path}/objects/train/deep`, 1, SMALL.length],
    ]);
    deepEqual(await usage(path, "--by", "backend"), [
      ["objects", 3, ALL_BYTES],
    ]);
    if (!ROOT) return;
    deepEqual(await usage(path, "--by", "team"), [
      ["admins", 2, LARGE.length + SMALL.length],
      ["vision", 1, SMALL.length],
    ]);
    deepEqual(await usage(path, "--by", "user"), [["root", 3, ALL_BYTES]]);
  });
  await test.step("stale, where what is open is not", async () => {
    const stale = async (...args: readonly string[]) =>
      (await told(STALE, "stale", path, "--days", "0", ...args)).map(({ path }) => path).sort();
    deepEqual(await stale(), ["top", "train/deep/small", "train/large"]);
    deepEqual(await stale("--min-size", "1MiB"), ["train/large"]);
    deepEqual(await told(STALE, "stale", path, "--days", "1"), []);
    using _open = await Deno.open(large);
    deepEqual(await stale("--min-size", "1MiB"), []);
    match((await ctl("stale", path, "--days", "0", "--limit", "1")).stderr, /more than 1: raise/);
  });
});

Deno.test("admin.sock shows ctl the cache, user.sock what a user may read", async () => {
  await using cache = await cachePlace();
  await using mounted = await mount(settings(cache.path, { owner: { file_mode: "0400" } }));
  const { path, place } = mounted;
  const user = `${place.root}/control/user.sock`;
  for (const command of ["stats", "usage", "stale"]) {
    const { code, stdout, stderr } = await ctl(command, "--socket", user);
    deepEqual([code, stdout], [1, ""]);
    match(stderr, /user\.sock does not offer it, wanted admin\.sock\nHint: /);
  }
  if (!ROOT || !installed("curl")) return;
  const explain = async (...as: readonly string[]) => {
    const url = `http://mount/v1/explain?path=${path}/objects/top`;
    const { stdout } = await run("setpriv", ...as, "curl", "-s", "--unix-socket", user, url);
    return JSON.parse(stdout);
  };
  equal((await explain("--reuid=0")).store.state, "found");
  equal((await explain(...NOBODY)).error.code, "forbidden");
});

Deno.test("ctl does not read the directory of a cache in use, and says who uses it", async () => {
  await using cache = await cachePlace();
  await using mounted = await mount(settings(cache.path));
  for (const command of ["stats", "usage", "stale"]) {
    const { code, stdout, stderr } = await ctl(command, "--cache", cache.path);
    deepEqual([code, stdout], [1, ""]);
    match(stderr, new RegExp(`process ${mounted.program.pid} uses it for "${mounted.path}"`));
  }
});

Deno.test("ctl explains no directory, and nothing outside the mount", async () => {
  await using cache = await cachePlace();
  await using mounted = await mount(settings(cache.path));
  const directory = await ctl("explain", `${mounted.path}/objects/train`);
  equal(directory.code, 1);
  match(directory.stderr, /it is a directory, wanted a file of a backend\nHint: .*ctl usage/);
  const missing = await told(EXPLANATION, "explain", `${mounted.path}/objects/nothing`);
  deepEqual([missing.store.state, missing.cached], ["missing", []]);
  const outside = await ctl("explain", "/etc/passwd", "--socket", `${mounted.place.root}/control`);
  equal(outside.code, 1);
  match(outside.stderr, /it is not below/);
});

Deno.test("ctl reads what was counted, and when, without the mount", async (test) => {
  await using cache = await cachePlace();
  await using place = await createPlace();
  const config = `${place.root}/config.yaml`;
  let before = { hits: 0, misses: 0 };
  let read: readonly string[] = [];
  {
    await using mounted = await Mounted.start(place, settings(cache.path));
    await readAll(mounted);
    before = await committed("all", "--config", config);
    equal(await mounted.stop("SIGTERM"), 0);
  }
  const files = await succeed("find", cache.path, "-maxdepth", "1");
  await test.step("stats of the cache of a configuration", async () => {
    const { code, stdout, stderr } = await ctl("stats", "--config", config, "--format", "csv");
    equal(code, 0);
    equal(stderr, `No mount runs: reading the cache in "${cache.path}" itself\n`);
    ok(!stdout.includes("\nstart,"), "Nobody has started");
    const { hits, misses, entries } = await statsOf("all", "objects", "--cache", cache.path);
    deepEqual([misses, entries], [before.misses, 3]);
    ok(hits >= before.hits);
    before = { hits, misses };
  });
  await test.step("usage, stale and explain of it", async () => {
    const usage = await told(
      USAGE,
      "usage",
      `${place.mountPoint}/objects/train`,
      "--config",
      config,
    );
    deepEqual(groupsOf(usage), [
      [`${place.mountPoint}/objects/train`, 1, LARGE.length],
      [`${place.mountPoint}/objects/train/deep`, 1, SMALL.length],
    ]);
    read = usage.map(({ last_access: time }) => time);
    equal((await told(STALE, "stale", "--days", "0", "--cache", cache.path)).length, 3);
    const ways = [
      [`${place.mountPoint}/objects/train/large`, "--config", config],
      ["objects:train/large", "--cache", cache.path],
    ];
    for (const way of ways) {
      const { file, store, cached } = await told(EXPLANATION, "explain", ...way);
      deepEqual([file.key, file.opens_as, store.state], ["train/large", null, "not_asked"]);
      deepEqual(cached.map(({ blocks_present: blocks, departure }) => [blocks, departure]), [
        [LARGE_BLOCKS, null],
      ]);
    }
    equal((await ctl("explain", "objects:train", "--cache", cache.path)).code, 1);
  });
  await test.step("nothing was left in its directory", async () => {
    equal(await succeed("find", cache.path, "-maxdepth", "1"), files);
  });
  await test.step("the next mount goes on counting, from nothing since its start", async () => {
    await using mounted = await Mounted.start(place, settings(cache.path));
    const { hits, misses } = await statsOf("all", "objects", mounted.path);
    deepEqual({ hits, misses }, before);
    const started = await statsOf("start", "objects", mounted.path);
    deepEqual([started.hits, started.misses, started.entries], [0, 0, 3]);
    const usage = await told(USAGE, "usage", `${mounted.path}/objects/train`);
    deepEqual(usage.map(({ last_access: time }) => time), read);
  });
});

Deno.test("ctl of a mount that was killed fails with a message, or reads its cache", async () => {
  await using cache = await cachePlace();
  await using place = await createPlace();
  const config = `${place.root}/config.yaml`;
  await using mounted = await Mounted.start(place, settings(cache.path));
  await readAll(mounted);
  await committed("all", "--config", config);
  await mounted.stop("SIGKILL");
  const byConfig = await ctl("status", "--config", config);
  deepEqual([byConfig.code, byConfig.stdout], [1, ""]);
  match(byConfig.stderr, /no mount listens there.*\nHint: /);
  const byPath = await ctl("status", `${place.mountPoint}/objects`);
  deepEqual([byPath.code, byPath.stdout], [1, ""]);
  match(byPath.stderr, /Cannot ask the mount at .*its process has ended/);
  // What was counted in the last half second died with it.
  const { entries } = await statsOf("all", "objects", "--config", config);
  equal(entries, 3);
});

Deno.test("ctl of a mount without a cache says that it has none", async () => {
  await using mounted = await mount({});
  for (const command of ["stats", "usage", "stale"]) {
    const { code, stderr } = await ctl(command, mounted.path);
    equal(code, 1);
    match(stderr, /the cache of this mount: it has none\nHint: /);
  }
  await Deno.writeTextFile(`${mounted.place.source}/file`, "content");
  const { file, store } = await told(EXPLANATION, "explain", `${mounted.data}/file`);
  deepEqual([file.kept, store.state], ["in_place", "not_asked"]);
  equal(file.opens_as, mounted.passthrough ? "passthrough" : "daemon");
});
