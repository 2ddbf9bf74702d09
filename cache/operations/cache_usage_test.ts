import { deepEqual } from "node:assert/strict";
import { newObject, openIndex, wholeBlocks } from "../../tests/support/cached_rows.ts";
import { cacheUsage, type UsageQuestion } from "./cache_usage.ts";
import { ReadOnlyIndex } from "../read_only_index.ts";
import { teamsOf } from "../config/teams.ts";

const NEVER = new AbortController().signal;
const BLOCK = 4 * 2 ** 20;
/** Backend, path and who brought it in. */
const OBJECTS = [
  ["images", "train/a/1", 1_001],
  ["images", "train/a/2", 1_002],
  ["images", "train/b/3", 1_002],
  ["images", "top", 1_003],
  ["images", "train-old/4", 1_003],
  ["video", "raw/5", 1_001],
] as const;
const TEAMS = teamsOf([
  { name: "vision", users: ["1001"], paths: ["images/train/b"] },
  { name: "speech", users: ["1002"], paths: [] },
], {
  mountPoint: "/mnt",
  backends: [{ name: "images", mountPath: "images", source: { type: "azureblob" } }],
  userId: () => null,
});

async function groupsOf(question: Partial<UsageQuestion>) {
  const root = await Deno.makeTempDir({ prefix: "warpdrive-usage-" });
  try {
    const written = openIndex(`${root}/index.sqlite`);
    OBJECTS.forEach(([backend, path, uid], number) => {
      const id = written.insert({ ...newObject(path), backend, uid });
      written.commit([{ ...wholeBlocks(id, 1, 1), lastAccessMs: 100 + number }]);
    });
    written.close();
    using index = ReadOnlyIndex.open(`${root}/index.sqlite`);
    const { groups, rest } = await cacheUsage(
      index,
      { places: null, by: "path", depth: 1, ...question },
      { teams: TEAMS, shown: ({ backend, path }) => `${backend}:${path}` },
      NEVER,
    );
    deepEqual(rest, { objects: 0, cachedBytes: 0 });
    return groups.map(({ group, backend, objects, cachedBytes, lastAccessMs }) => {
      deepEqual(cachedBytes, objects * BLOCK);
      return `${group} of ${backend}: ${objects}, last ${lastAccessMs}`;
    });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("usage by path tells directories apart, the largest first", async () => {
  deepEqual(await groupsOf({ by: "path", depth: 1 }), [
    "images:train of images: 3, last 102",
    "images: of images: 1, last 103",
    "images:train-old of images: 1, last 104",
    "video:raw of video: 1, last 105",
  ]);
  deepEqual(await groupsOf({ by: "path", depth: 0 }), [
    "images: of images: 5, last 104",
    "video: of video: 1, last 105",
  ]);
});

Deno.test("usage of a path counts its depth from there, and knows a single object", async () => {
  const places = [{ backend: "images", path: "train" }];
  deepEqual(await groupsOf({ places, by: "path", depth: 1 }), [
    "images:train/a of images: 2, last 101",
    "images:train/b of images: 1, last 102",
  ]);
  deepEqual(await groupsOf({ places: [{ backend: "images", path: "top" }] }), [
    "images:top of images: 1, last 103",
  ]);
});

Deno.test("usage by backend and by user adds all of it up", async () => {
  deepEqual(await groupsOf({ by: "backend" }), [
    "images of images: 5, last 104",
    "video of video: 1, last 105",
  ]);
  deepEqual(await groupsOf({ by: "user" }), [
    "1002 of images: 2, last 102",
    "1003 of images: 2, last 104",
    "1001 of images: 1, last 100",
    "1001 of video: 1, last 105",
  ]);
});

Deno.test("usage by team goes by the path, then by who brought it in", async () => {
  deepEqual(await groupsOf({ by: "team" }), [
    "null of images: 2, last 104",
    "vision of images: 2, last 102",
    "speech of images: 1, last 101",
    "vision of video: 1, last 105",
  ]);
  // The team that owns a directory above the place owns what is in it.
  deepEqual(await groupsOf({ by: "team", places: [{ backend: "images", path: "train/b/3" }] }), [
    "vision of images: 1, last 102",
  ]);
});
