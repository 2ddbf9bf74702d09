/** A real mount of a real store that keeps what was read. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { runProgram } from "./cli/run_program.ts";
import { cachePlace } from "./support/cache_process.ts";
import { succeed } from "./support/command.ts";
import { eventually } from "./support/eventually.ts";
import { mount, Mounted, type MountSettings } from "./support/mounted.ts";
import { createPlace } from "./support/place.ts";
import { RemoteStore } from "./support/remote_store.ts";
import { sampleBytes } from "./support/sample_bytes.ts";

const MIB = 1 << 20;
const LARGE = sampleBytes(24 * MIB + 777, 21);
const SMALL = sampleBytes(300_000, 22);
const SHARED = sampleBytes(6 * MIB + 1, 23);

let store: RemoteStore | null = null;
Deno.test.beforeAll(async () => {
  store = await RemoteStore.start();
  await store.container("objects", { large: LARGE, small: SMALL, shared: SHARED });
});
Deno.test.afterAll(async () => {
  await store?.[Symbol.asyncDispose]();
});

function settings(cache: string, more: Readonly<Record<string, unknown>> = {}): MountSettings {
  if (store === null) throw new Error("The store has not been started");
  const backends = [store.backend("objects", "direct")];
  return {
    config: { backends, cache: { path: cache, max_size: "1GiB" }, ...more },
    variables: store.variables,
  };
}

async function metric(mounted: Mounted, name: string): Promise<number> {
  return (await mounted.metrics()).get(`warpdrive_${name}`) ?? 0;
}

function bytesRead(mounted: Mounted): Promise<number> {
  return metric(mounted, 'backend_bytes_read_total{backend="objects"}');
}

async function reads(mounted: Mounted, name: string, wanted: Uint8Array): Promise<void> {
  const bytes = await Deno.readFile(`${mounted.path}/objects/${name}`);
  equal(Buffer.compare(bytes, wanted), 0, name);
}

/** Opens of files that the kernel reads by itself, once there is one more than `before`. */
async function passesThrough(mounted: Mounted, name: string, wanted: Uint8Array): Promise<void> {
  const before = await metric(mounted, "passthrough_opens_total");
  await eventually(`${name} is passed through`, async () => {
    await reads(mounted, name, wanted);
    return await metric(mounted, "passthrough_opens_total") > before;
  });
}

Deno.test("What was read once is read from disk, by the kernel where it can", async () => {
  await using cache = await cachePlace();
  await using mounted = await mount(settings(cache.path));
  await reads(mounted, "large", LARGE);
  equal(await bytesRead(mounted), LARGE.length);
  const misses = await metric(mounted, "cache_miss_total");
  ok(misses > 0);
  ok(await metric(mounted, "readahead_hit_total") > 0);
  await reads(mounted, "large", LARGE);
  if (mounted.passthrough) await passesThrough(mounted, "large", LARGE);
  equal(await bytesRead(mounted), LARGE.length);
  equal(await metric(mounted, "cache_miss_total"), misses);
  ok(await metric(mounted, "cache_hit_total") >= 7);
  equal(await metric(mounted, "readahead_wasted_total"), 0);
  equal(await metric(mounted, "cache_corruptions_total"), 0);
  await eventually("the size is told", async () => {
    return await metric(mounted, "cache_size_bytes") === LARGE.length;
  });
});

Deno.test("Extended attributes tell how much of an object is cached", async () => {
  await using cache = await cachePlace();
  await using mounted = await mount(settings(cache.path));
  const file = `${mounted.path}/objects/large`;
  const asking = "import os, sys; print(os.getxattr(sys.argv[1], sys.argv[2]).decode())";
  const attribute = async (name: string) =>
    (await succeed("python3", "-c", asking, file, `user.warpdrive.${name}`)).trimEnd();
  const both = async () => `${await attribute("state")} ${await attribute("cached")}`;
  equal(await both(), "absent 0");
  {
    using open = await Deno.open(file);
    await open.read(new Uint8Array(4_096));
    await eventually("a part of it is cached", async () => /^partial /.test(await both()));
  }
  await reads(mounted, "large", LARGE);
  await eventually("all of it is cached", async () => await both() === "complete 100");
});

Deno.test("A file of many cold readers is downloaded once", async () => {
  await using cache = await cachePlace();
  await using mounted = await mount(settings(cache.path));
  const sums = await succeed(
    "sh",
    "-c",
    'for reader in $(seq 64); do md5sum < "$1" & done; wait',
    "sh",
    `${mounted.path}/objects/shared`,
  );
  const lines = sums.trimEnd().split("\n");
  equal(lines.length, 64);
  equal(new Set(lines).size, 1);
  equal(await bytesRead(mounted), SHARED.length);
});

Deno.test("A restart keeps the cache, which is verified before the kernel gets it", async () => {
  await using cache = await cachePlace();
  await using place = await createPlace();
  {
    await using mounted = await Mounted.start(place, settings(cache.path));
    await reads(mounted, "large", LARGE);
    await reads(mounted, "small", SMALL);
    equal(await mounted.stop("SIGTERM"), 0);
  }
  await using mounted = await Mounted.start(place, settings(cache.path));
  await reads(mounted, "large", LARGE);
  await reads(mounted, "small", SMALL);
  if (mounted.passthrough) await passesThrough(mounted, "large", LARGE);
  equal(await bytesRead(mounted), 0);
  equal(await metric(mounted, "cache_miss_total"), 0);
});

Deno.test("A mount that is killed keeps what it had committed, and gives right bytes", async () => {
  await using cache = await cachePlace();
  await using place = await createPlace();
  {
    await using mounted = await Mounted.start(place, settings(cache.path));
    await reads(mounted, "large", LARGE);
    await eventually("it is committed", async () => {
      return await metric(mounted, "cache_size_bytes") === LARGE.length;
    });
    mounted.program.signal("SIGKILL");
    await mounted.program.exit();
  }
  await using mounted = await Mounted.start(place, settings(cache.path));
  await reads(mounted, "large", LARGE);
  await reads(mounted, "small", SMALL);
  equal(await metric(mounted, "cache_corruptions_total"), 0);
  ok(await bytesRead(mounted) <= LARGE.length);
});

Deno.test("A second mount is told who uses the cache directory", async () => {
  await using cache = await cachePlace();
  await using mounted = await mount(settings(cache.path));
  await using other = await createPlace();
  const { config, variables } = settings(cache.path);
  const file = await other.configure({
    mount_point: other.mountPoint,
    metrics: { enabled: false },
    ...config,
  });
  const { code, stderr } = await runProgram(["mount", "--config", file], {}, variables ?? {});
  equal(code, 1);
  match(
    stderr,
    new RegExp(`Cannot use cache "${cache.path}": process ${mounted.program.pid} uses`),
  );
  match(stderr, new RegExp(`for "${mounted.path}" since`));
  match(stderr, /Unmount that one first, or give this mount a cache.path of its own/);
  deepEqual(await Array.fromAsync(Deno.readDir(other.mountPoint)), []);
  await reads(mounted, "small", SMALL);
});

Deno.test("A cold random read of a mount costs about what it asks for", async () => {
  await using cache = await cachePlace();
  await using mounted = await mount(settings(cache.path, { fuse: { max_read_ahead: "0" } }));
  using file = await Deno.open(`${mounted.path}/objects/large`);
  const bytes = new Uint8Array(4_096);
  for (const offset of [17 * MIB, 5 * MIB, 11 * MIB]) {
    await file.seek(offset, Deno.SeekMode.Start);
    await file.read(bytes);
    deepEqual(bytes, LARGE.slice(offset, offset + 4_096));
  }
  ok(await bytesRead(mounted) <= 3 * 4 * 128 * 1024, `${await bytesRead(mounted)} bytes`);
});
