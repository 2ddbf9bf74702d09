/** A real mount of Cloud Storage that keeps what was read, and shards written straight into it. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ERRNO } from "../cache/platform/errno.ts";
import { OPEN_FLAGS } from "../cache/platform/open_flags.ts";
import { runProgram } from "./cli/run_program.ts";
import { cachePlace } from "./support/cache_process.ts";
import { type GcsServers, startGcsServers } from "./support/gcs_place.ts";
import { mount, type Mounted } from "./support/mounted.ts";
import { Posix } from "./support/posix.ts";
import { sampleBytes } from "./support/sample_bytes.ts";

const BUCKET = "mounted";
const LARGE = sampleBytes((9 << 20) + 777, 31);

let running: GcsServers | null = null;
Deno.test.beforeAll(async () => {
  running = await startGcsServers();
  await running.server.createBucket(BUCKET);
  for (
    const [key, bytes] of Object.entries({ "train/large": LARGE, "train/dir/": LARGE.slice(0, 0) })
  ) {
    await running.server.upload(BUCKET, key, bytes);
  }
});
Deno.test.afterAll(async () => {
  await running?.[Symbol.asyncDispose]();
});

function servers(): GcsServers {
  if (running === null) throw new Error("The servers have not been started");
  running.gate.reset();
  return running;
}

async function metric(mounted: Mounted, name: string): Promise<number> {
  return (await mounted.metrics()).get(`warpdrive_${name}`) ?? 0;
}

async function isLarge(path: string): Promise<void> {
  equal(Buffer.compare(await Deno.readFile(path), LARGE), 0);
}

Deno.test("A mount of Cloud Storage reads right bytes, once", async () => {
  const { gate, keyFile } = servers();
  await using cache = await cachePlace();
  const config = { root: BUCKET, endpoint: gate.endpoint };
  const auth = { method: "service_account", key_file: keyFile };
  await using mounted = await mount({
    config: {
      backends: [{ name: "gcs", type: "gcs", config, auth }],
      cache: { path: cache.path, max_size: "1GiB" },
    },
  });
  const path = `${mounted.path}/gcs/train/large`;
  const names = (await Array.fromAsync(Deno.readDir(`${mounted.path}/gcs/train`)))
    .map(({ name, isDirectory }) => `${name} ${isDirectory}`);
  deepEqual(names.sort(), ["dir true", "large false"]);
  await isLarge(path);
  const read = 'backend_bytes_read_total{backend="gcs"}';
  equal(await metric(mounted, read), LARGE.length);
  gate.seen.length = 0;
  await isLarge(path);
  equal(await metric(mounted, read), LARGE.length);
  deepEqual(gate.seen.filter(({ query }) => query.has("alt")), [], "the second is of the cache");
  equal(await metric(mounted, 'auth_refresh_total{provider="gcp",status="success"}'), 1);
});

Deno.test("A mount of Cloud Storage shows an overwritten object as stale, then new", async () => {
  const { gate, keyFile, server } = servers();
  await server.upload(BUCKET, "changing/file", LARGE);
  const config = { root: BUCKET, prefix: "changing", endpoint: gate.endpoint };
  const auth = { method: "service_account", key_file: keyFile };
  const backends = [{ name: "gcs", type: "gcs", config, auth }];
  await using mounted = await mount({ config: { backends } });
  const path = `${mounted.path}/gcs/file`;
  using posix = new Posix();
  const fd = await posix.open(path, OPEN_FLAGS.DIRECT);
  deepEqual(await posix.read(fd, 0, 4096), LARGE.slice(0, 4096));
  const other = LARGE.toReversed();
  await server.upload(BUCKET, "changing/file", other);
  const buffer = await posix.done("aligned_alloc", 4096, 4096);
  equal(await posix.call("pread64", fd, buffer, 4096, 5 << 20), -ERRNO.ESTALE);
  equal(Buffer.compare(await Deno.readFile(path), other), 0);
  await posix.done("close", fd);
});

Deno.test("forge dataset make writes shards into a bucket that a URL names", async () => {
  const { gate, keyFile } = servers();
  const variables = {
    CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: gate.endpoint,
    GOOGLE_APPLICATION_CREDENTIALS: keyFile,
  };
  const small = ["--shards", "2", "--samples", "4", "--image-size", "16"];
  const make = ["forge", "dataset", "make", "--out", `gs://${BUCKET}/made`, ...small];
  const { code, stdout, stderr } = await runProgram(make, {}, variables);
  equal(code, 0, stderr);
  match(stdout, /^2 shards, 8 samples, /);
  ok(gate.seen.length > 0 && gate.seen.every(({ state }) => state === "valid"));
  await using mounted = await mount({
    config: {
      backends: [{
        name: "gcs",
        type: "gcs",
        config: { root: BUCKET, prefix: "made", endpoint: gate.endpoint },
        auth: { method: "service_account", key_file: keyFile },
      }],
    },
  });
  const names = await Array.fromAsync(Deno.readDir(`${mounted.path}/gcs/train`));
  deepEqual(names.map(({ name }) => name).sort(), ["shard-000000.tar", "shard-000001.tar"]);
});
