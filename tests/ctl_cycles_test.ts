/** Data that is brought into the cache of one mount and taken out again, over and over. */
import { equal, ok } from "node:assert/strict";
import { EVICT } from "../ctl/api_evict.ts";
import { WARM_BEGIN } from "../ctl/api_warm.ts";
import { ControlClient } from "../ctl/client.ts";
import { cachePlace, dataFilesIn } from "./support/cache_process.ts";
import { eventually } from "./support/eventually.ts";
import { mount, type Mounted } from "./support/mounted.ts";
import { RemoteStore } from "./support/remote_store.ts";
import { sampleBytes } from "./support/sample_bytes.ts";

/** A thousand in the long form of the tests; this many show a leak of descriptors or files. */
const CYCLES = Number(Deno.env.get("WARPDRIVE_WARM_EVICT_CYCLES") ?? "60");
const FILES = 16;
const FILE_BYTES = 20_000;
/** What a heap that is collected now and then may vary by; a thousand cycles must fit as well. */
const MEMORY_BYTES = 96 * 1024 * 1024;
const NEVER = new AbortController().signal;

/** What a mount takes of its machine. */
interface Taken {
  /** Data files of the cache that are open, those without a name included. */
  readonly openFiles: number;
  /** All descriptors that are no connections. */
  readonly descriptors: number;
  readonly dataFiles: number;
  readonly memoryBytes: number;
  /** The index and its log. */
  readonly indexBytes: number;
}

async function taken({ program: { pid } }: Mounted, cache: string): Promise<Taken> {
  let [openFiles, descriptors] = [0, 0];
  for await (const { name } of Deno.readDir(`/proc/${pid}/fd`)) {
    const target = await Deno.readLink(`/proc/${pid}/fd/${name}`).catch(() => null);
    // Closed since it was listed. Connections to the store come and go, as many as its limit.
    if (target === null || target.startsWith("socket:")) continue;
    descriptors += 1;
    if (target.startsWith(`${cache}/data/`)) openFiles += 1;
  }
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  let indexBytes = 0;
  for await (const { name, isFile } of Deno.readDir(cache)) {
    if (isFile && name.startsWith("index")) {
      indexBytes += (await Deno.stat(`${cache}/${name}`)).size;
    }
  }
  return {
    openFiles,
    descriptors,
    dataFiles: (await dataFilesIn(cache)).length,
    memoryBytes: Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024,
    indexBytes,
  };
}

async function warm(client: ControlClient, path: string): Promise<number> {
  for await (const record of client.stream(WARM_BEGIN, { paths: [path] }, NEVER)) {
    if (record.event !== "ended") continue;
    equal(record.state, "done", JSON.stringify(record));
    return record.bytes_fetched;
  }
  throw new Error("The job did not end");
}

async function evict(client: ControlClient, path: string): Promise<number> {
  const request = { what: { kind: "paths" as const, paths: [path] } };
  for await (const record of client.stream(EVICT, request, NEVER)) {
    if (record.event === "done") return record.objects;
  }
  throw new Error("The eviction did not end");
}

Deno.test("data that are warmed and evicted over and over leave nothing behind", async () => {
  await using store = await RemoteStore.start();
  await store.container(
    "objects",
    Object.fromEntries(
      Array.from({ length: FILES }, (_, number) => [`${number}`, sampleBytes(FILE_BYTES, number)]),
    ),
  );
  await using cache = await cachePlace();
  await using mounted = await mount({
    config: {
      backends: [store.backend("objects", "direct")],
      cache: { path: cache.path, max_size: "1GiB" },
    },
    variables: store.variables,
    testMsMax: 120_000 + 2_000 * CYCLES,
  });
  const client = new ControlClient(`${mounted.place.root}/control/admin.sock`);
  const path = `${mounted.path}/objects`;
  const cycle = async () => {
    equal(await warm(client, path), FILES * FILE_BYTES);
    equal(await evict(client, path), FILES);
  };
  const settled = async (): Promise<Taken> =>
    await eventually("nothing is left of what was evicted", async () => {
      const now = await taken(mounted, cache.path);
      return now.openFiles + now.dataFiles === 0 ? now : null;
    });
  for (let count = 0; count < CYCLES / 2; count += 1) await cycle();
  const before = await settled();
  for (let count = 0; count < CYCLES; count += 1) await cycle();
  const after = await settled();
  ok(after.descriptors < before.descriptors + FILES, `${before.descriptors} ${after.descriptors}`);
  ok(after.memoryBytes < before.memoryBytes + MEMORY_BYTES, JSON.stringify([before, after]));
  ok(after.indexBytes < before.indexBytes + MEMORY_BYTES, JSON.stringify([before, after]));
});
