import { deepEqual, equal } from "node:assert/strict";
import { cachePlace } from "../../tests/support/cache_process.ts";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { CacheDiskError } from "./cache_disk_error.ts";
import { DiskThreads } from "./disk_threads.ts";
import { noStepHook } from "./durable_step.ts";
import { Libc } from "../platform/libc.ts";
import { TaskGroup } from "../platform/limit.ts";
import { ObjectRemovals } from "./object_removals.ts";

/** Removals of the files 1 to 600 in a temporary directory, whose index fails `failures` times. */
async function removals(failures: number) {
  const at = await cachePlace();
  for (let row = 1; row <= 600; row += 1) await Deno.writeTextFile(`${at.path}/${row}`, "bytes");
  const clock = new FakeClock();
  const closing = new AbortController();
  const tasks = new TaskGroup((error) => {
    throw error;
  });
  const seen = { removed: [] as number[], batches: 0, failures: 0 };
  const threads = new DiskThreads(8, 1_000);
  const objects = new ObjectRemovals({
    directory: { dataPath: (row) => `${at.path}/${row}` },
    index: {
      remove(rows) {
        seen.batches += 1;
        if (seen.batches <= failures) {
          throw new CacheDiskError("full", "remove from", "index", "no space is left");
        }
        seen.removed.push(...rows);
        return Promise.resolve();
      },
    },
    health: { failed: () => seen.failures += 1 },
    files: { libc: Libc.open(), threads, tasks, step: noStepHook },
    clock,
    tasks,
    signal: closing.signal,
  });
  const left = async () => (await Array.fromAsync(Deno.readDir(at.path))).length;
  return { at, objects, clock, closing, tasks, seen, left };
}

Deno.test("ObjectRemovals removes what leaves together in few transactions", async () => {
  const { at, objects, tasks, seen, left } = await removals(0);
  await using _at = at;
  for (let row = 1; row <= 600; row += 1) objects.add(row);
  equal(objects.has(600), true);
  await tasks.settled();
  deepEqual([seen.batches, seen.removed.length, objects.size, await left()], [3, 600, 0, 0]);
});

Deno.test("ObjectRemovals gives space back first when the index finds the disk full", async () => {
  const { at, objects, clock, tasks, seen, left } = await removals(2);
  await using _at = at;
  objects.add(1);
  objects.add(2);
  await clock.advance(0);
  deepEqual([seen.failures, await left(), objects.has(1)], [1, 600, true]);
  await clock.advance(1_000);
  while (seen.failures < 2) await clock.advance(0);
  deepEqual([await left(), objects.has(1)], [598, true]);
  await clock.advance(1_000);
  await tasks.settled();
  deepEqual([seen.removed, objects.size], [[1, 2], 0]);
});

Deno.test("ObjectRemovals leaves what it cannot remove to the next process", async () => {
  const { at, objects, clock, closing, tasks, seen } = await removals(Infinity);
  await using _at = at;
  objects.add(1);
  await clock.advance(0);
  closing.abort();
  await tasks.settled();
  deepEqual([seen.failures, objects.has(1)], [1, true]);
});
