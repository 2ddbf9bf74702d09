import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { newObject, wholeBlocks } from "../../tests/support/cached_rows.ts";
import { CacheDirectory } from "./cache_directory.ts";
import { CacheIndex } from "../index/cache_index.ts";
import { DataFile, type DataFileDeps } from "./data_file.ts";
import { DiskThreads } from "./disk_threads.ts";
import { noStepHook } from "./durable_step.ts";
import type { NewObject } from "../index/rows.ts";
import { type Clock, systemClock } from "../platform/clock.ts";
import { Libc } from "../platform/libc.ts";
import { TaskGroup } from "../platform/limit.ts";
import { reclaim, type Reclaimed } from "./reclaim.ts";

const libc = Libc.open();
const never = new AbortController().signal;

/** A cache directory that can be left and entered again, a day later each time. */
async function place() {
  const root = await Deno.makeTempDir({ prefix: "warpdrive-reclaim-" });
  let days = 0;
  return {
    root,
    async enter() {
      days += 1;
      const wallMs = systemClock.wallMs() + days * 86_400_000;
      return await session(root, { ...systemClock, wallMs: () => wallMs });
    },
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

/** What one process has of the cache. */
async function session(root: string, clock: Clock) {
  const tasks = new TaskGroup((error) => {
    throw error;
  });
  const files: DataFileDeps = {
    libc,
    threads: new DiskThreads(4, 100),
    tasks,
    step: noStepHook,
  };
  const directory = CacheDirectory.open(
    root,
    { pid: 1, mountPoint: "/wd", sinceMs: clock.wallMs() },
    libc,
  );
  const index = await CacheIndex.open({
    path: directory.indexPath,
    listings: { rowsMax: 100, bytesMax: 1_000_000 },
    clock,
    timeoutMs: 10_000,
    step: noStepHook,
    onDamage: () => {},
  });
  const dropped: string[] = [];
  const unannounced: (string | number)[][] = [];
  return {
    directory,
    index,
    dropped,
    unannounced,
    async cache(object: NewObject): Promise<number> {
      const id = await index.insert(object);
      const file = await DataFile.create(directory.dataPath(id), object.sizeBytes, files, never);
      await file.writeLater(new Uint8Array(1_000), 0, never);
      file.close();
      await index.commit([wholeBlocks(id, 1, 1)]);
      return id;
    },
    reclaim: (signal = never): Promise<Reclaimed> =>
      reclaim({
        directory,
        index,
        files,
        onDropped: ({ path }) => dropped.push(path),
        onUnannounced: ({ path }, bytes) => unannounced.push([path, bytes]),
      }, signal),
    async [Symbol.asyncDispose]() {
      await tasks.settled();
      await index[Symbol.asyncDispose]();
      directory[Symbol.dispose]();
    },
  };
}

function isFile(path: string): Promise<boolean> {
  return Deno.lstat(path).then(({ isFile }) => isFile, () => false);
}

Deno.test("reclaim touches nothing of a cache that is whole", async () => {
  await using at = await place();
  const ids: number[] = [];
  {
    await using cache = await at.enter();
    for (let number = 0; number < 20; number += 1) {
      ids.push(await cache.cache(newObject(`f${number}`)));
    }
  }
  await using cache = await at.enter();
  deepEqual(await cache.reclaim(), { files: 0, rows: 0 });
  for (const id of ids) ok(await isFile(cache.directory.dataPath(id)));
  deepEqual(cache.dropped, []);
});

Deno.test("reclaim removes files without a row, and rows without their file", async () => {
  await using at = await place();
  const paths: string[] = [];
  {
    await using cache = await at.enter();
    for (let number = 0; number < 6; number += 1) {
      paths.push(cache.directory.dataPath(await cache.cache(newObject(`f${number}`))));
    }
    const [, removed, cut, replaced, evicted] = paths;
    ok(removed && cut && replaced && evicted);
    await Deno.remove(removed);
    await Deno.truncate(cut, 5);
    await Deno.remove(replaced);
    await Deno.symlink("/etc/passwd", replaced);
    // Killed between the removal of a row and that of its file, and between insert and commit.
    const row = await cache.index.find(newObject("f4"));
    await cache.index.remove([row?.id ?? 0]);
    const id = await cache.index.insert(newObject("never"));
    await Deno.writeTextFile(cache.directory.dataPath(id), "");
    // What nobody put there.
    await Deno.writeTextFile(`${cache.directory.dataDirectory(3)}/ff`, "");
    await Deno.writeTextFile(`${cache.directory.dataDirectory(3)}/stranger`, "");
  }
  await using cache = await at.enter();
  deepEqual(await cache.reclaim(), { files: 4, rows: 3 });
  deepEqual(cache.dropped.sort(), ["f1", "f2", "f3"]);
  deepEqual(await Promise.all(paths.map(isFile)), [true, false, false, false, false, true]);
  equal((await cache.index.usage())[0]?.objects, 2);
  deepEqual(await cache.reclaim(), { files: 0, rows: 0 });
});

Deno.test("reclaim tells of bytes on disk that no row announces", async () => {
  await using at = await place();
  {
    await using cache = await at.enter();
    const path = cache.directory.dataPath(await cache.cache(newObject("more")));
    await cache.cache(newObject("whole"));
    using file = await Deno.open(path, { write: true });
    await file.write(new Uint8Array(5 * 2 ** 20));
  }
  await using cache = await at.enter();
  deepEqual(await cache.reclaim(), { files: 0, rows: 0 });
  deepEqual(cache.unannounced.map(([path]) => path), ["more"]);
  ok(Number(cache.unannounced[0]?.[1]) >= 5 * 2 ** 20);
});

Deno.test("reclaim removes everything an index that was lost had named", async () => {
  await using at = await place();
  const paths: string[] = [];
  {
    await using cache = await at.enter();
    for (let number = 0; number < 5; number += 1) {
      paths.push(cache.directory.dataPath(await cache.cache(newObject(`f${number}`))));
    }
  }
  await Deno.remove(`${at.root}/index.sqlite`);
  await using cache = await at.enter();
  const id = await cache.cache(newObject("f0"));
  deepEqual(await cache.reclaim(), { files: 5, rows: 0 });
  ok(await isFile(cache.directory.dataPath(id)));
  equal((await Promise.all(paths.map(isFile))).includes(true), false);
});

Deno.test("reclaim leaves alone what is created while it runs", async () => {
  await using at = await place();
  await using cache = await at.enter();
  const inserted = await cache.index.insert(newObject("no file yet"));
  const orphan = cache.directory.dataPath(inserted + 1);
  await Deno.writeTextFile(orphan, "its row comes later");
  deepEqual(await cache.reclaim(), { files: 0, rows: 0 });
  ok(await isFile(orphan));
  ok(await cache.index.find(newObject("no file yet")) !== null);
});

Deno.test("reclaim ends when it is aborted", async () => {
  await using at = await place();
  await using cache = await at.enter();
  await rejects(cache.reclaim(AbortSignal.abort(new Error("Stop"))), { message: "Stop" });
});
