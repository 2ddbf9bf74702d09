import { deepEqual, equal, match, rejects, throws } from "node:assert/strict";
import { CacheDirectory } from "../cache/disk/cache_directory.ts";
import { systemClock } from "../cache/platform/clock.ts";
import { Libc } from "../cache/platform/libc.ts";
import { newObject, openIndex, wholeBlocks } from "../tests/support/cached_rows.ts";
import {
  type IdleCache,
  type IdleCacheSource,
  lookAtIdleCache,
  placesIn,
  sourceOfConfig,
  sourceOfDirectory,
} from "./idle_cache.ts";

const HOLDER = { pid: 4_711, mountPoint: "/mnt/data", sinceMs: 0 };
const libc = Libc.open();

async function place() {
  const root = await Deno.makeTempDir({ prefix: "warpdrive-idle-" });
  const cache = `${root}/cache`;
  {
    using directory = CacheDirectory.open(cache, HOLDER, libc);
    const index = openIndex(directory.indexPath);
    index.commit([wholeBlocks(index.insert(newObject("a/b")), 1, 1)]);
    index.close();
  }
  return { root, cache, [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }) };
}

function configOf(cache: string, more = ""): Promise<IdleCacheSource> {
  const text = `
mount_point: /mnt/data
cache: { path: ${cache}, block_size: 1MiB }
backends:
  - { name: train, mount_path: sets/train, type: azureblob, auth: { account_key_env: MISSING } }
  - { name: here, type: local, config: { root: /srv } }
${more}`;
  const inputs = { env: { get: () => undefined }, readTextFile: () => text };
  return sourceOfConfig("config.yaml", inputs, systemClock);
}

const backends = async ({ index }: IdleCache) =>
  (await index.usage()).map(({ backend, objects }) => [backend, objects]);

Deno.test("a cache is found by its configuration, whose credentials nobody needs", async () => {
  await using at = await place();
  const source = await configOf(at.cache, "teams: { vision: { paths: [sets/train/a] } }");
  deepEqual([source.directory, source.blockBytes], [at.cache, 1 << 20]);
  deepEqual(source.teams.pathsOf("train"), ["a"]);
  deepEqual(await lookAtIdleCache(source, backends), [["train", 1]]);
});

Deno.test("a path below the mount point is a place in the cache, as is BACKEND:KEY", async () => {
  await using at = await place();
  const inConfig = await lookAtIdleCache(await configOf(at.cache), (cache) => {
    throws(() => placesIn(cache, "/mnt/data/here/x"), /a local directory is read in place/);
    return Promise.resolve(placesIn(cache, "/mnt/data/sets/train/a/b"));
  });
  deepEqual(inConfig, [{ backend: "train", path: "a/b" }]);
  const inDirectory = await lookAtIdleCache(sourceOfDirectory(at.cache), (cache) => {
    throws(() => placesIn(cache, "/mnt/data/sets/train/a/b"), { code: "usage" });
    return Promise.resolve(placesIn(cache, "train:/a/b/"));
  });
  deepEqual(inDirectory, [{ backend: "train", path: "a/b" }]);
});

Deno.test("a cache that is in use is not read, and its user is named", async () => {
  await using at = await place();
  using _mount = CacheDirectory.open(at.cache, HOLDER, libc);
  await rejects(lookAtIdleCache(sourceOfDirectory(at.cache), backends), (error: Error) => {
    match(error.message, /process 4711 uses it for "\/mnt\/data" since 1970/);
    return "hint" in error && error.hint ===
        "Name its mount by a path below it: warpdrive ctl status /mnt/data";
  });
});

Deno.test("what was read of a cache while a mount began is not believed", async () => {
  await using at = await place();
  using begun = new DisposableStack();
  const looking = lookAtIdleCache(sourceOfDirectory(at.cache), (cache) => {
    begun.use(CacheDirectory.open(at.cache, HOLDER, libc));
    return backends(cache);
  });
  await rejects(looking, /process 4711 uses it/);
});

Deno.test("a directory without a cache is said to be one, and stays empty", async () => {
  const root = await Deno.makeTempDir({ prefix: "warpdrive-idle-" });
  try {
    await rejects(lookAtIdleCache(sourceOfDirectory(root), backends), /there is no cache yet$/);
    equal([...Deno.readDirSync(root)].length, 0);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("a configuration without a cache, or with a wrong one, is refused", async () => {
  const read = (text: string) =>
    sourceOfConfig("config.yaml", {
      env: { get: () => undefined },
      readTextFile: () => text,
    }, systemClock);
  const backend = "backends: [{ name: a, type: local, config: { root: /srv } }]";
  await rejects(read(`mount_point: /mnt/data\n${backend}`), /it configures none$/);
  await rejects(read(`mount_point: data\n${backend}`), { code: "usage" });
  const wrong = `mount_point: /mnt/data\ncache: { path: here }\n${backend}`;
  await rejects(read(wrong), { code: "usage" });
});
