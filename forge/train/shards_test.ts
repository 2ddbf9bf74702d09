import assert from "node:assert/strict";
import { CommandError } from "../../cache/platform/exit.ts";
import { findShards, parityWarning, rootLabel } from "./shards.ts";

const NEVER = new AbortController().signal;

/** Runs `body` with a directory that holds empty files at these paths. */
async function inDirectory(
  paths: readonly string[],
  body: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "warpdrive-shards-" });
  try {
    for (const path of paths) {
      await Deno.mkdir(`${directory}/${path.slice(0, path.lastIndexOf("/") + 1)}`, {
        recursive: true,
      });
      await Deno.writeTextFile(`${directory}/${path}`, "");
    }
    await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("findShards finds shards at any depth, in the order of their names", async () => {
  const paths = [
    "a/train/shard-000002.tar",
    "a/train/shard-000000.tar",
    "a/shard-1234567.tar",
    "a/train/shard-00001.tar",
    "a/train/shard-000004.tar.part",
    "a/train/index.json",
  ];
  await inDirectory(paths, async (directory) => {
    await Deno.symlink("/nowhere", `${directory}/a/broken`);
    const [root] = await findShards([`${directory}/a`], NEVER);
    assert.equal(root?.label, "a");
    assert.deepEqual(
      root.shards.map(({ name }) => name),
      ["shard-1234567.tar", "train/shard-000000.tar", "train/shard-000002.tar"],
    );
  });
});

Deno.test("findShards follows links, and finds nothing twice by one that leads back", async () => {
  await inDirectory(["a/train/shard-000000.tar", "b/shard-000001.tar"], async (directory) => {
    await Deno.symlink("..", `${directory}/a/train/back`);
    await Deno.symlink("../b", `${directory}/a/elsewhere`);
    const [root] = await findShards([`${directory}/a`], NEVER);
    assert.deepEqual(
      root?.shards.map(({ name }) => name),
      ["elsewhere/shard-000001.tar", "train/shard-000000.tar"],
    );
  });
});

Deno.test("findShards names every root that is missing or empty", async () => {
  await inDirectory(["empty/readme"], async (directory) => {
    await assert.rejects(
      findShards([`${directory}/empty`, `${directory}/missing`], NEVER),
      (error: unknown) => {
        assert.ok(error instanceof CommandError);
        assert.match(
          error.message,
          /empty" holds no file named shard-NNNNNN\.tar; ".*missing" cann/,
        );
        return true;
      },
    );
  });
});

Deno.test("parityWarning speaks up when an odd shard is in the first of two roots", async () => {
  const paths = ["a/shard-000000.tar", "b/shard-000001.tar", "c/shard-000003.tar"];
  await inDirectory(paths, async (directory) => {
    const [a, b, c] = await findShards(
      ["a", "b", "c"].map((name) => `${directory}/${name}`),
      NEVER,
    );
    assert.ok(a !== undefined && b !== undefined && c !== undefined);
    assert.equal(parityWarning([a, b]), null);
    assert.equal(parityWarning([b]), null);
    assert.equal(parityWarning([a, b, c]), null);
    assert.match(parityWarning([c, b]) ?? "", /c\/shard-000003\.tar: usually even numbers/);
    assert.match(parityWarning([c, a]) ?? "", /c\/shard-000003\.tar and 1 more/);
  });
});

Deno.test("rootLabel names roots by letters as long as there are some", () => {
  assert.deepEqual([0, 1, 25, 26].map(rootLabel), ["a", "b", "z", "root26"]);
});
