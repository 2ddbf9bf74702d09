/** A real mount whose store goes down: what is cached stays listable and readable. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ERRNO } from "../cache/platform/errno.ts";
import { cachePlace } from "./support/cache_process.ts";
import { succeed } from "./support/command.ts";
import { eventually } from "./support/eventually.ts";
import { Mounted, type MountSettings } from "./support/mounted.ts";
import { createPlace } from "./support/place.ts";
import { Posix } from "./support/posix.ts";
import { RemoteStore, STALL } from "./support/remote_store.ts";
import { sampleBytes } from "./support/sample_bytes.ts";

const MIB = 1 << 20;
const OBJECTS = {
  "top": sampleBytes(300_000, 41),
  "train/shard-0": sampleBytes(5 * MIB + 3, 42),
  "train/shard-1": sampleBytes(100, 43),
  "train/deep/er": sampleBytes(10, 44),
  "unread/object": sampleBytes(10, 45),
};
const READ = ["top", "train/shard-0", "train/deep/er"] as const;
const READ_BYTES = READ.reduce((sum, name) => sum + OBJECTS[name].length, 0);
const TREE = ["top", "train", "train/deep", "train/deep/er", "train/shard-0", "train/shard-1"]
  .concat(["unread", "unread/object"]);

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

/** Asks the store for everything, every time, so that an outage shows at once. */
function settings(container: string, cache: Readonly<Record<string, unknown>>): MountSettings {
  return {
    config: {
      backends: [started().backend(container, "proxied", { timeout: "3s" })],
      cache: { max_size: "1GiB", stale_ttl: "0", ...cache },
    },
    variables: started().variables,
  };
}

/** Every name below the backend `container`, sorted, as find(1) shows them. */
async function tree(mounted: Mounted, container: string): Promise<readonly string[]> {
  const root = `${mounted.path}/${container}`;
  const found = await succeed("find", root, "-mindepth", "1", "-printf", "%P\\n");
  return found.trimEnd().split("\n").sort();
}

async function showsWhatWasRead(mounted: Mounted, container: string): Promise<void> {
  deepEqual(await tree(mounted, container), TREE);
  for (const name of READ) {
    const bytes = await Deno.readFile(`${mounted.path}/${container}/${name}`);
    equal(Buffer.compare(bytes, OBJECTS[name]), 0, name);
  }
  using posix = new Posix();
  const root = `${mounted.path}/${container}`;
  const fd = await posix.open(`${root}/unread/object`);
  const address = await posix.done("aligned_alloc", 4096, 4096);
  const read = await posix.call("pread64", fd, address, 10, 0);
  ok([-ERRNO.EIO, -ERRNO.ETIMEDOUT].includes(read), `Read ${read}`);
  await posix.call("free", address);
  await posix.done("close", fd);
  equal(await posix.call("open", `${root}/train/missing`, 0, 0), -ERRNO.ENOENT);
}

/** Reads and lists what the outage is to find, and waits until it is kept. */
async function fill(mounted: Mounted, container: string): Promise<void> {
  deepEqual(await tree(mounted, container), TREE);
  for (const name of READ) await Deno.readFile(`${mounted.path}/${container}/${name}`);
  await eventually("what was read is committed", async () => {
    return (await mounted.metrics()).get("warpdrive_cache_size_bytes") === READ_BYTES;
  });
}

Deno.test("A store that goes down leaves what is cached, over a restart, until it is back", async () => {
  await using cache = await cachePlace();
  await using place = await createPlace();
  const container = await started().container("outage", OBJECTS);
  const { proxy } = started();
  const wanted = settings("outage", { path: cache.path });
  try {
    {
      await using mounted = await Mounted.start(place, wanted);
      await fill(mounted, "outage");
      proxy.refuse();
      await showsWhatWasRead(mounted, "outage");
      await mounted.program.logged(
        "that it answers from what is known",
        ({ message }) => message.startsWith("Answer from what is known"),
      );
      equal(await mounted.stop("SIGTERM"), 0);
    }
    await using mounted = await Mounted.start(place, wanted);
    await showsWhatWasRead(mounted, "outage");
    await container.getBlockBlobClient("train/new").upload("new", 3);
    await container.getBlockBlobClient("train/shard-1").upload("changed", 7);
    await proxy.accept();
    const root = `${mounted.path}/outage`;
    await eventually("new names show", async () => {
      return (await tree(mounted, "outage")).includes("train/new");
    });
    equal(await Deno.readTextFile(`${root}/train/new`), "new");
    equal(await Deno.readTextFile(`${root}/train/shard-1`), "changed");
    await mounted.program.logged(
      "that the store answers",
      ({ message }) => message.startsWith("Ask the store for names again"),
    );
  } finally {
    await proxy.accept();
  }
});
