import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { newObject, openIndex, wholeBlocks } from "../../tests/support/cached_rows.ts";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { withSeed } from "../../tests/support/seeded_random.ts";
import { cannotMount, freezableDisk } from "../../tests/support/test_disk.ts";
import { CacheIndex } from "./cache_index.ts";
import { type DurableStep, noStepHook, type StepHook } from "../disk/durable_step.ts";
import type { Clock } from "../platform/clock.ts";
import { systemClock } from "../platform/clock.ts";

const never = new AbortController().signal;
const WRITER = fileURLToPath(new URL("../../tests/support/index_writer.ts", import.meta.url));

async function place() {
  const root = await Deno.makeTempDir({ prefix: "warpdrive-index-" });
  return {
    root,
    path: `${root}/index.sqlite`,
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

function open(
  path: string,
  clock: Clock = systemClock,
  damage: string[] = [],
  step: StepHook = noStepHook,
): Promise<CacheIndex> {
  return CacheIndex.open({
    path,
    listings: { rowsMax: 100, bytesMax: 1_000_000 },
    clock,
    timeoutMs: 1_000,
    step,
    onDamage: (reason) => damage.push(reason),
  });
}

Deno.test("CacheIndex answers from its worker what the index answers", async () => {
  await using at = await place();
  await using index = await open(at.path);
  const object = newObject("d/a.tar");
  const id = await index.insert(object);
  ok(id >= index.firstNewId);
  await index.commit([wholeBlocks(id, 2, 7)]);
  await index.setPinned([id], true);
  const cachedBytes = 8 * 2 ** 20;
  const row = { ...object, id, cachedBytes, lastAccessMs: 2_007, pinned: true };
  deepEqual(await index.find(object), row);
  deepEqual(await index.versionsOf("train", "d/a.tar"), [row]);
  deepEqual(await index.blocksOf(id), wholeBlocks(id, 2, 7).blocks);
  deepEqual(await index.usage(), [{ backend: "train", uid: 1_000, objects: 1, cachedBytes }]);
  deepEqual(await index.totals(), { objects: 1, cachedBytes });
  equal((await index.children("train", "d", null, 10)).entries[0]?.name, "a.tar");
  const listing = { fetchedMs: 5, complete: true, entries: [] };
  await index.putListing("train", "d", listing);
  deepEqual(await index.listing("train", "d"), listing);
  await index.removeListing("train", "d");
  equal(await index.listing("train", "d"), null);
  deepEqual(await index.withoutRow([id, 1]), [1]);
  await index.remove([id]);
  equal(await index.find(object), null);
});

Deno.test("CacheIndex goes through all objects, however many pages they fill", async () => {
  await using at = await place();
  const sync = openIndex(at.path);
  for (let number = 0; number < 1_203; number += 1) {
    sync.commit([wholeBlocks(sync.insert(newObject(`f${number}`)), 1, number)]);
  }
  sync.close();
  await using index = await open(at.path);
  const paths: string[] = [];
  for await (const row of index.rows(never)) paths.push(row.path);
  deepEqual(paths, Array.from({ length: 1_203 }, (_, number) => `f${number}`));
});

Deno.test("CacheIndex announces the steps that change the disk", async () => {
  await using at = await place();
  const steps: DurableStep[] = [];
  await using index = await open(at.path, systemClock, [], (step) => steps.push(step));
  const id = await index.insert(newObject("a"));
  await index.commit([wholeBlocks(id, 1, 1)]);
  await index.remove([id]);
  deepEqual(steps, ["insert object", "commit blocks", "remove object"]);
});

Deno.test("CacheIndex tells what was damaged, refused or failed as the index does", async () => {
  await using at = await place();
  await Deno.writeTextFile(at.path, "no database ".repeat(1_000));
  const damage: string[] = [];
  await (await open(at.path, systemClock, damage))[Symbol.asyncDispose]();
  deepEqual(damage, ["The index is damaged and begins anew: file is not a database"]);
  {
    using database = new DatabaseSync(at.path);
    database.exec("PRAGMA user_version = 9");
  }
  await rejects(open(at.path), { name: "CommandError", code: "failed" });
  await rejects(open(`${at.root}/nowhere/index.sqlite`), { name: "CacheDiskError" });
});

Deno.test("CacheIndex takes no calls after it was closed", async () => {
  await using at = await place();
  const index = await open(at.path);
  await index[Symbol.asyncDispose]();
  await rejects(index.usage(), { name: "CacheDiskError", code: "failed" });
  await index[Symbol.asyncDispose]();
});

Deno.test("CacheIndex does not wait longer than its deadline, and works again with the disk", {
  ignore: cannotMount,
}, async () => {
  await using disk = await freezableDisk(32 * 2 ** 20);
  const clock = new FakeClock();
  const index = await open(`${disk.path}/index.sqlite`, clock);
  const id = await index.insert(newObject("a"));
  await disk.freeze();
  const stuck = index.commit([wholeBlocks(id, 1, 1)]);
  const behind = index.find(newObject("a"));
  const late = { name: "CacheDiskError", code: "failed" };
  const failures = [rejects(stuck, late), rejects(behind, late)];
  await clock.advance(1_000);
  await Promise.all(failures);
  // From now on nobody waits at all.
  await rejects(index.usage(), late);
  await disk.thaw();
  for (let found = null; found === null;) {
    await clock.settle();
    found = await index.find(newObject("a")).catch(() => null);
  }
  equal((await index.blocksOf(id)).length, 1);
  await index[Symbol.asyncDispose]();
});

Deno.test("CacheIndex keeps every whole commit of a process that was killed", async () => {
  await withSeed(1, async (random) => {
    await using at = await place();
    for (let round = 0; round < 20; round += 1) {
      const committed = await writeUntilKilled(at.path, round, 1 + random.below(60));
      const damage: string[] = [];
      const index = openIndex(at.path, damage);
      deepEqual(damage, []);
      for (let number = 0; number <= committed + 1; number += 1) {
        const rows = [0, 1, 2].map((part) => index.find(newObject(`${round}/${number}/${part}`)));
        const found = rows.flatMap((row) => row === null ? [] : [row]);
        const blocks = found.map(({ id }) => index.blocksOf(id).map(({ crcs }) => crcs[0]));
        const whole = Array.from({ length: found.length }, () => Array(4).fill(number % 256));
        deepEqual(blocks, whole);
        if (number <= committed) equal(found.length, number % 5 === 4 ? 0 : 3);
        else ok(found.length === 0 || found.length === 3);
      }
      index.check();
      const rows = index.rows(null, 100_000);
      const { objects, cachedBytes } = index.totals();
      deepEqual([objects, cachedBytes], [rows.length, rows.length * 16 * 2 ** 20]);
      index.close();
    }
  });
});

/** Runs the writer until it has said `lines` lines, and kills it; the last it said. */
async function writeUntilKilled(path: string, round: number, lines: number): Promise<number> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", WRITER, path, String(round)],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const decoder = new TextDecoder();
  let said = "";
  try {
    for await (const chunk of child.stdout) {
      said += decoder.decode(chunk, { stream: true });
      if (said.split("\n").length > lines) child.kill("SIGKILL");
    }
  } finally {
    await child.status;
  }
  return Number(said.trimEnd().split("\n").at(-1));
}
