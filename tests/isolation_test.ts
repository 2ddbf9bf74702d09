/** One backend of a real mount fails, and nobody but its own callers notices. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { ERRNO } from "../cache/platform/errno.ts";
import { OPEN_FLAGS } from "../cache/platform/open_flags.ts";
import { eventually } from "./support/eventually.ts";
import { Mounted } from "./support/mounted.ts";
import { createPlace } from "./support/place.ts";
import { Posix } from "./support/posix.ts";
import { isRead, RemoteStore, STALL } from "./support/remote_store.ts";
import { sampleBytes } from "./support/sample_bytes.ts";

const MIB = 1 << 20;
const CONTENT = sampleBytes(8 * MIB, 5);
const MANY_READERS = 100;
/**
 * Readers that stall together, and the kernel's limit of background requests, which all backends
 * of a mount share: each reader takes one for its read-ahead.
 */
const CROWDS = [
  { readers: 1, background: 64 },
  { readers: 32, background: 64 },
  // More than a backend sends at once, too.
  { readers: MANY_READERS, background: 1_024 },
];

let store: RemoteStore | null = null;
Deno.test.beforeAll(async () => {
  store = await RemoteStore.start();
  const many = Array.from({ length: MANY_READERS }, (_, index) => [`many/${index}`, CONTENT]);
  await store.container("failing", { file: CONTENT, ...Object.fromEntries(many) });
  await store.container("healthy", { file: CONTENT, "directory/file": CONTENT });
});
Deno.test.afterAll(async () => {
  await store?.[Symbol.asyncDispose]();
});

function started(): RemoteStore {
  if (store === null) throw new Error("The store has not been started");
  return store;
}

/** A mount of a backend that is going to fail between two that are not. */
async function mountThree(patience: string, background: number): Promise<Mounted> {
  const { variables, proxy } = started();
  await proxy.accept();
  proxy.heal();
  proxy.seen.length = 0;
  await using owned = new AsyncDisposableStack();
  const place = owned.use(await createPlace());
  await Deno.writeFile(`${place.source}/file`, CONTENT);
  const config = {
    // Nothing is answered from what the kernel or the daemon keeps.
    fuse: {
      ...{ passthrough: false, attr_timeout: "0", entry_timeout: "0", negative_timeout: "0" },
      max_background: background,
    },
    cache: { stale_ttl: "0" },
    backends: [
      { name: "local", type: "local", config: { root: place.source } },
      started().backend("failing", "proxied", { timeout: patience }),
      started().backend("healthy", "direct"),
    ],
  };
  return await Mounted.start(place, { config, variables }, owned.move());
}

/** Reads and lists everything but the failing backend. */
async function useTheOthers({ path }: Mounted): Promise<void> {
  deepEqual(await names(path), ["failing", "healthy", "local"]);
  deepEqual(await names(`${path}/healthy`), ["directory", "file"]);
  for (const name of ["healthy/file", "healthy/directory/file", "local/file"]) {
    deepEqual(await Deno.readFile(`${path}/${name}`), CONTENT, name);
  }
}

async function names(path: string): Promise<readonly string[]> {
  return (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name).sort();
}

for (const { readers, background } of CROWDS) {
  Deno.test(`${readers} readers of a stalled store keep nobody else waiting`, async () => {
    await using mounted = await mountThree("1h", background);
    const directory = `${mounted.path}/failing/many`;
    deepEqual((await names(directory)).length, MANY_READERS);
    started().proxy.inject(STALL, Infinity, isRead);
    const paths = Array.from({ length: readers }, (_, index) => `${directory}/${index}`);
    const children = paths.map((path) =>
      new Deno.Command("cat", { args: [path], stdin: "null", stdout: "null", stderr: "null" })
        .spawn()
    );
    let ended = 0;
    const statuses = children.map((child) => child.status.finally(() => ended += 1));
    const opens = 'warpdrive_fuse_operations_total{operation="open"}';
    await eventually(
      "all of them wait",
      async () => ((await mounted.metrics()).get(opens) ?? 0) >= readers,
    );
    await useTheOthers(mounted);
    equal(ended, 0);
    for (const child of children) child.kill("SIGKILL");
    await Promise.all(statuses);
  });
}

Deno.test("A store that is down fails only its own paths, and comes back by itself", async (t) => {
  await using mounted = await mountThree("1s", 64);
  const { path } = mounted;
  const { proxy } = started();
  using posix = new Posix();
  const open = (name: string) =>
    posix.call("open", `${path}/failing/${name}`, OPEN_FLAGS.RDONLY, 0);
  const fd = await posix.open(`${path}/failing/file`);
  deepEqual(await posix.read(fd, 0, 4096), CONTENT.slice(0, 4096));
  await proxy.refuse();
  await t.step("errors are EIO, also for names that nobody knows", async () => {
    for (const name of ["file", "never-seen", "many/1"]) {
      const result = await open(name);
      ok(result === -ERRNO.EIO || result === -ERRNO.ETIMEDOUT, `${name}: ${result}`);
    }
    equal(await open("never-seen"), -ERRNO.EIO);
  });
  await t.step("after three failures it is degraded, for all to see", async () => {
    const health = await mounted.health();
    deepEqual([health.code, health.status], [503, "failed"]);
    equal(health.checks.get("backend failing"), "degraded");
    equal(health.checks.get("backend healthy"), "ok");
    equal((await mounted.health("livez")).code, 200);
    const degraded = (name: string) => `warpdrive_backend_degraded{backend="${name}"}`;
    const metrics = await mounted.metrics();
    deepEqual(["failing", "healthy", "local"].map((name) => metrics.get(degraded(name))), [
      1,
      0,
      0,
    ]);
    const errors = 'warpdrive_backend_errors_total{backend="failing",error_type="unavailable"}';
    ok((metrics.get(errors) ?? 0) >= 3);
  });
  await t.step("the other backends are as they were", () => useTheOthers(mounted));
  await t.step("its mount point is there", async () => {
    equal((await Deno.stat(`${path}/failing`)).isDirectory, true);
  });
  await t.step("when it is back it is used again, without anybody's doing", async () => {
    await proxy.accept();
    await eventually("it is well again", async () => (await mounted.health()).code === 200);
    deepEqual(await posix.read(fd, MIB, 4096), CONTENT.slice(MIB, MIB + 4096));
    deepEqual(await Deno.readFile(`${path}/failing/file`), CONTENT);
    equal(await open("never-seen"), -ERRNO.ENOENT);
    const degraded = 'warpdrive_backend_degraded{backend="failing"}';
    equal((await mounted.metrics()).get(degraded), 0);
  });
  await posix.done("close", fd);
});

Deno.test("A mount starts while a store is down, and shows it when it comes", async () => {
  const { proxy, variables } = started();
  await proxy.refuse();
  await using place = await createPlace();
  const backends = [started().backend("failing", "proxied", { timeout: "1s" })];
  await using mounted = await Mounted.start(place, { config: { backends }, variables });
  deepEqual(await names(mounted.path), ["failing"]);
  await proxy.accept();
  await eventually("it is well", async () => (await mounted.health()).code === 200);
  deepEqual(await Deno.readFile(`${mounted.path}/failing/file`), CONTENT);
});
