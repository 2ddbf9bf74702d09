/**
 * The data loader that people use, over a real mount: the package webdataset, in several processes
 * as torch's DataLoader starts them. (It does without torch, whose wheels are gigabytes.)
 */
import { deepEqual, equal } from "node:assert/strict";
import { REPOSITORY } from "../../infra/tools/source_tree.ts";
import { cachePlace } from "../support/cache_process.ts";
import { run, succeed } from "../support/command.ts";
import { mount } from "../support/mounted.ts";
import { RemoteStore } from "../support/remote_store.ts";
import { shardName, tarShard, writeShards } from "../support/tar_shards.ts";

const REQUIREMENT = "webdataset==1.0.2";
const SHARDS = 40;
const SHAPE = { samples: 100, imageBytes: 40_000 };

/** A digest of every sample of each shard, in its order, read by four processes with a plan. */
const READING = `
import hashlib, multiprocessing, os, random, sys
sys.path.insert(0, sys.argv[2])
import webdataset
from order_plan import OrderPlan

def digest(shard):
    sum = hashlib.sha256()
    samples = 0
    for sample in webdataset.WebDataset([shard], shardshuffle=False):
        for part in (sample["__key__"].encode(), sample["jpg"], sample["cls"]):
            sum.update(part)
        samples += 1
    return f"{os.path.basename(shard)} {samples} {sum.hexdigest()}"

root = sys.argv[1]
shards = [os.path.join(root, name) for name in sorted(os.listdir(root))]
random.Random(42).shuffle(shards)
with OrderPlan(shards), multiprocessing.Pool(4) as pool:
    for line in sorted(pool.imap(digest, shards, chunksize=1)):
        print(line)
`;

/** The Python that has the package, installed once in the user's cache directory. */
async function installed(): Promise<string> {
  const home = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? "/tmp"}/.cache`;
  const directory = `${home}/warpdrive-tests/${REQUIREMENT.replace("==", "-")}`;
  const python = `${directory}/bin/python`;
  if ((await run("test", "-x", python)).code !== 0) {
    await succeed("python3", "-m", "venv", directory);
  }
  await succeed(python, "-m", "pip", "install", "--quiet", REQUIREMENT);
  return python;
}

async function read(python: string, root: string): Promise<string[]> {
  const text = await succeed(python, "-c", READING, root, `${REPOSITORY}/infra/examples`);
  return text.trimEnd().split("\n");
}

Deno.test("webdataset reads over a mount what is in the store, cold and warm", async () => {
  const python = await installed();
  await using store = await RemoteStore.start();
  const numbers = [...Array(SHARDS).keys()];
  const objects: Record<string, Uint8Array> = {};
  for (const number of numbers) objects[shardName(number)] = await tarShard(number, SHAPE);
  await store.container("shards", objects);
  const bytes = Object.values(objects).reduce((sum, { length }) => sum + length, 0);
  const raw = await Deno.makeTempDir({ prefix: "warpdrive-webdataset-" });
  try {
    await writeShards(raw, numbers, SHAPE);
    const expected = await read(python, raw);
    equal(expected.length, SHARDS);
    equal(expected[0]?.split(" ")[1], String(SHAPE.samples));
    await using cache = await cachePlace();
    await using mounted = await mount({
      config: { backends: [store.backend("shards", "direct")], cache: { path: cache.path } },
      variables: store.variables,
    });
    deepEqual(await read(python, `${mounted.path}/shards`), expected);
    deepEqual(await read(python, `${mounted.path}/shards`), expected);
    const metrics = await mounted.metrics();
    equal(metrics.get('warpdrive_backend_bytes_read_total{backend="shards"}'), bytes);
  } finally {
    await Deno.remove(raw, { recursive: true });
  }
});
