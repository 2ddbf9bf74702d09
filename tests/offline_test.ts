/** A real mount whose store goes down: what is cached stays listable and readable. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ERRNO } from "../cache/platform/errno.ts";
import { cachePlace } from "./support/cache_process.ts";
import { run, succeed } from "./support/command.ts";
import { eventually } from "./support/eventually.ts";
import { CLOSED_PORT } from "./support/free_port.ts";
import { mount, Mounted, type MountSettings } from "./support/mounted.ts";
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
}

/** What is not cached cannot be read, and what was never there is not. */
async function showsNothingElse(mounted: Mounted, container: string): Promise<void> {
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

Deno.test("A store that goes down leaves what is cached, also over a restart", async () => {
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
      await showsNothingElse(mounted, "outage");
      await mounted.program.logged(
        "that it answers from what is known",
        ({ message }) => message.startsWith("Answer from what is known"),
      );
      equal(await mounted.stop("SIGTERM"), 0);
    }
    await using mounted = await Mounted.start(place, wanted);
    await showsWhatWasRead(mounted, "outage");
    await showsNothingElse(mounted, "outage");
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

/** What Azure answers to a listing of `directory` with `count` blobs in it. */
function hugeListing(directory: string, count: number): string {
  const blobs = Array.from(
    { length: count },
    (_, index) =>
      `<Blob><Name>${directory}/${index}</Name><Properties>` +
      "<Last-Modified>Thu, 01 Jan 2026 00:00:00 GMT</Last-Modified><Etag>0x8DD00000000000A</Etag>" +
      "<Content-Length>5</Content-Length><BlobType>BlockBlob</BlobType></Properties></Blob>",
  );
  return '<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs>' + blobs.join("") +
    "</Blobs><NextMarker /></EnumerationResults>";
}

Deno.test("A store that goes quiet is found out in seconds, whatever its timeout", async () => {
  await using cache = await cachePlace();
  await started().container("quiet", { "many/0": OBJECTS.top });
  const { proxy } = started();
  const patient = settings("quiet", { path: cache.path });
  const backends = [started().backend("quiet", "proxied", { timeout: "1h" })];
  await using mounted = await mount({ ...patient, config: { ...patient.config, backends } });
  try {
    const body = hugeListing("many", 20_000);
    const headers = { "content-type": "application/xml", "x-ms-version": "2021-12-02" };
    proxy.inject(
      { kind: "answer", status: 200, headers, body },
      Infinity,
      (request) => request.includes("comp=list") && request.includes("many"),
    );
    const before = await tree(mounted, "quiet");
    equal(before.length, 20_001);
    proxy.inject(STALL);
    deepEqual(await tree(mounted, "quiet"), before);
  } finally {
    proxy.heal();
  }
});

Deno.test("What is known of a store serves for offline_ttl, also over a restart", async () => {
  await using cache = await cachePlace();
  await using place = await createPlace();
  await started().container("expiring", OBJECTS);
  const { proxy } = started();
  const wanted = settings("expiring", { path: cache.path, offline_ttl: "2s" });
  try {
    {
      await using mounted = await Mounted.start(place, wanted);
      await fill(mounted, "expiring");
      proxy.refuse();
      deepEqual(await tree(mounted, "expiring"), TREE);
      await eventually("the known names are too old", async () => {
        return await failsToList(mounted, "expiring");
      });
      equal(await mounted.stop("SIGTERM"), 0);
    }
    await using mounted = await Mounted.start(place, wanted);
    ok(await failsToList(mounted, "expiring"));
    await proxy.accept();
    await eventually("the store is back", async () => !await failsToList(mounted, "expiring"));
    deepEqual(await tree(mounted, "expiring"), TREE);
  } finally {
    await proxy.accept();
  }
});

Deno.test("A mount starts while nobody gives out tokens, and shows what is cached", async () => {
  await using cache = await cachePlace();
  await using place = await createPlace();
  await started().container("tokens", OBJECTS);
  const wanted = settings("tokens", { path: cache.path });
  {
    await using mounted = await Mounted.start(place, wanted);
    await fill(mounted, "tokens");
    equal(await mounted.stop("SIGTERM"), 0);
  }
  // A port that nobody can listen on stands for the issuer, and for the store.
  const nobody = `https://127.0.0.1:${CLOSED_PORT}`;
  // Longer than the library tries for, so that the mount hears what it has to say.
  const backend = started().backend("tokens", "direct", { timeout: "30s" });
  const auth = {
    method: "service_principal",
    tenant_id: "11111111-1111-1111-1111-111111111111",
    client_id: "22222222-2222-2222-2222-222222222222",
    client_secret_env: "STORE_KEY",
    authority_host: nobody,
  };
  const backends = [{ ...backend, config: { ...backend.config, endpoint: `${nobody}/a` }, auth }];
  const { config, variables } = wanted;
  await using mounted = await Mounted.start(place, {
    config: { ...config, backends },
    variables: variables ?? {},
  });
  await showsWhatWasRead(mounted, "tokens");
});

/** Whether listing the root of the backend ends with an error, as it should rather than empty. */
async function failsToList(mounted: Mounted, container: string): Promise<boolean> {
  const { code, stdout } = await run("ls", `${mounted.path}/${container}`);
  equal(code === 0, stdout !== "");
  return code !== 0;
}
