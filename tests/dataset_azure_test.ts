/** `warpdrive forge dataset` straight into a real Azurite. */
import assert from "node:assert/strict";
import { datasetCommand } from "../forge/commands/dataset.ts";
import { type Azurite, startAzurite } from "./support/azurite.ts";
import { collectedContext } from "./support/command_context.ts";

const CONTAINER = "shards";

/** A server, and where shards are kept until they are uploaded. */
interface Store {
  readonly azurite: Azurite;
  readonly drafts: string;
}

/** Runs `dataset make` into the container, with small shards and `flags`; what it printed. */
async function make({ azurite, drafts }: Store, ...flags: readonly string[]): Promise<string> {
  const { context, stdout } = collectedContext(undefined, {
    AZURE_STORAGE_BLOB_ENDPOINT: azurite.endpoint,
    AZURE_STORAGE_KEY: azurite.key,
    TMPDIR: drafts,
  });
  const url = `azblob://${azurite.account}/${CONTAINER}/synthetic`;
  const small = ["--samples", "4", "--image-size", "16", "--parallel", "3"];
  await datasetCommand.run(["make", "--out", url, ...small, ...flags], context);
  return stdout();
}

/** Names and contents of all blobs. */
async function blobs(azurite: Azurite): Promise<ReadonlyMap<string, Uint8Array>> {
  const container = await azurite.container(CONTAINER);
  const found = new Map<string, Uint8Array>();
  for await (const { name } of container.listBlobsFlat()) {
    found.set(name, new Uint8Array(await container.getBlobClient(name).downloadToBuffer()));
  }
  return found;
}

/** Runs `body` with an Azurite and a directory for drafts, of which none may be left. */
async function withStore(body: (store: Store) => Promise<void>): Promise<void> {
  await using azurite = await startAzurite();
  const drafts = await Deno.makeTempDir({ prefix: "warpdrive-" });
  try {
    await body({ azurite, drafts });
    assert.deepEqual([...Deno.readDirSync(drafts)], []);
  } finally {
    await Deno.remove(drafts, { recursive: true });
  }
}

Deno.test("dataset make writes to a store what it writes to a directory", async () => {
  await withStore(async (store) => {
    await store.azurite.container(CONTAINER);
    assert.match(await make(store, "--shards", "5"), /^5 shards, 20 samples, /);
    const stored = await blobs(store.azurite);
    const directory = await Deno.makeTempDir({ prefix: "warpdrive-" });
    try {
      const small = ["--shards", "5", "--samples", "4", "--image-size", "16"];
      await datasetCommand.run(["make", "--out", directory, ...small], collectedContext().context);
      assert.equal(stored.size, 5);
      for (const [name, bytes] of stored) {
        const local = name.replace(/^synthetic\//, "");
        assert.deepEqual(bytes, await Deno.readFile(`${directory}/${local}`), name);
      }
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
});

Deno.test("dataset make replaces the shards of a store only when it is told to", async () => {
  await withStore(async (store) => {
    await store.azurite.container(CONTAINER);
    await make(store, "--shards", "3");
    await assert.rejects(make(store, "--shards", "2"), /synthetic\/train": it holds "shard-000000/);
    await make(store, "--shards", "2", "--force");
    const names = [...(await blobs(store.azurite)).keys()];
    assert.deepEqual(names, [0, 1].map((index) => `synthetic/train/shard-00000${index}.tar`));
  });
});

Deno.test("dataset make says when there is no such container, and leaves no drafts", async () => {
  await withStore(async (store) => {
    await assert.rejects(make(store, "--shards", "2"), /there is no container "shards"/);
  });
});
