import { deepEqual, equal, notEqual, ok, rejects } from "node:assert/strict";
import { sampleBytes } from "../../tests/support/sample_bytes.ts";
import { succeed } from "../../tests/support/command.ts";
import { cannotMount, freezableDisk, smallDisk } from "../../tests/support/test_disk.ts";
import { DataFile, type DataFileDeps, unlinkDataFile } from "./data_file.ts";
import { DiskThreads } from "./disk_threads.ts";
import { type DurableStep, noStepHook } from "./durable_step.ts";
import { ERRNO } from "../platform/errno.ts";
import { Libc } from "../platform/libc.ts";
import { TaskGroup } from "../platform/limit.ts";

const libc = Libc.open();
const never = new AbortController().signal;
const MIB = 2 ** 20;

function dataFiles(threads = new DiskThreads(4, 16)): DataFileDeps {
  const tasks = new TaskGroup((error) => {
    throw error;
  });
  return { libc, threads, tasks, step: noStepHook };
}

/** A directory with room for data files, gone at the end. */
async function place() {
  const root = await Deno.makeTempDir({ prefix: "warpdrive-data-" });
  return {
    path: `${root}/1a2b`,
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

/** Descriptors of this process that are open on `path`, removed or not. */
async function descriptorsOn(path: string): Promise<number> {
  let count = 0;
  for await (const { name } of Deno.readDir("/proc/self/fd")) {
    const target = await Deno.readLink(`/proc/self/fd/${name}`).catch(() => "");
    if (target === path || target === `${path} (deleted)`) count += 1;
  }
  return count;
}

Deno.test("DataFile keeps bytes at their own offsets and takes space for them alone", async () => {
  await using at = await place();
  const deps = dataFiles();
  const file = await DataFile.create(at.path, 300 * MIB + 7, deps, never);
  const bytes = sampleBytes(MIB, 1);
  await file.writeLater(bytes, 200 * MIB, never);
  await file.writeLater(bytes.subarray(0, 7), 300 * MIB, never);
  const back = new Uint8Array(MIB);
  equal(await file.readLater(back, 200 * MIB, never), MIB);
  deepEqual(back, bytes);
  equal(file.readCached(back.subarray(0, 10), 200 * MIB + 5), 10);
  deepEqual(back.subarray(0, 10), bytes.subarray(5, 15));
  equal(await file.readLater(back, 300 * MIB, never), 7);
  ok(await file.allocatedBytes(never) < 2 * MIB);
  ok(await file.isIntact(never));
  equal((await Deno.stat(at.path)).mode, 0o100600);
  file.close();
  await deps.tasks.settled();
  equal(await descriptorsOn(at.path), 0);
});

Deno.test("DataFile opens what it wrote before, and writes on", async () => {
  await using at = await place();
  const deps = dataFiles();
  const first = await DataFile.create(at.path, MIB, deps, never);
  await first.writeLater(sampleBytes(4096, 1), 0, never);
  first.close();
  const second = await DataFile.open(at.path, MIB, deps, never);
  await second.writeLater(sampleBytes(4096, 2), 4096, never);
  const back = new Uint8Array(8192);
  equal(await second.readLater(back, 0, never), 8192);
  deepEqual(back, Uint8Array.from([...sampleBytes(4096, 1), ...sampleBytes(4096, 2)]));
  await second.punchLater(0, 4096, never);
  equal(await second.readLater(back, 0, never), 8192);
  deepEqual(back.subarray(0, 4096), new Uint8Array(4096));
  second.close();
  await deps.tasks.settled();
});

Deno.test("DataFile hands out a descriptor that cannot write", async () => {
  await using at = await place();
  const deps = dataFiles();
  const file = await DataFile.create(at.path, MIB, deps, never);
  await file.writeLater(new Uint8Array(10), 0, never);
  equal(libc.write(file.readFd, new Uint8Array(1)), -ERRNO.EBADF);
  file.close();
  await deps.tasks.settled();
});

Deno.test("DataFile refuses what is not the file that was left", async (t) => {
  const strangers: Record<string, (path: string) => Promise<void>> = {
    "nothing": (path) => Deno.remove(path),
    "a file that was cut": (path) => Deno.truncate(path, MIB - 1),
    "a file that grew": (path) => Deno.truncate(path, MIB + 1),
    "another file": async (path) => {
      await Deno.remove(path);
      await Deno.writeTextFile(path, "other");
    },
    "a directory": async (path) => {
      await Deno.remove(path);
      await Deno.mkdir(path);
    },
    "a link": async (path) => {
      await Deno.rename(path, `${path}.moved`);
      await Deno.symlink(`${path}.moved`, path);
    },
    "a FIFO that nobody writes to": async (path) => {
      await Deno.remove(path);
      await new Deno.Command("mkfifo", { args: [path] }).output();
    },
  };
  for (const [what, replace] of Object.entries(strangers)) {
    await t.step(what, async () => {
      await using at = await place();
      const deps = dataFiles();
      (await DataFile.create(at.path, MIB, deps, never)).close();
      await deps.tasks.settled();
      await replace(at.path);
      const error = { name: "CacheDiskError", code: "gone" };
      await rejects(DataFile.open(at.path, MIB, deps, never), error);
      equal(await descriptorsOn(at.path), 0);
    });
  }
});

Deno.test("DataFile tells while it is open that it was cut, removed or replaced", async () => {
  await using at = await place();
  const deps = dataFiles();
  const file = await DataFile.create(at.path, MIB, deps, never);
  await Deno.truncate(at.path, 5);
  equal(await file.isIntact(never), false);
  equal(await file.readLater(new Uint8Array(10), 0, never), 5);
  await Deno.truncate(at.path, MIB);
  equal(await file.isIntact(never), true);
  await Deno.remove(at.path);
  await Deno.writeFile(at.path, new Uint8Array(MIB));
  equal(await file.isIntact(never), false);
  file.close();

  const other = await DataFile.open(at.path, MIB, deps, never);
  await Deno.remove(at.path);
  await Deno.writeFile(at.path, new Uint8Array(MIB));
  // The first write opens the file again, and must not write to the stranger.
  await rejects(other.writeLater(new Uint8Array(1), 0, never), { code: "gone" });
  other.close();
  await deps.tasks.settled();
});

Deno.test("DataFile has another fingerprint after every change, and the same without", async () => {
  await using at = await place();
  const deps = dataFiles();
  const file = await DataFile.create(at.path, MIB, deps, never);
  await file.writeLater(sampleBytes(MIB, 1), 0, never);
  const left = await file.fingerprint(never);
  file.close();
  const again = await DataFile.open(at.path, MIB, deps, never);
  await again.readLater(new Uint8Array(MIB), 0, never);
  equal(await again.fingerprint(never), left);
  again.close();
  const changes: readonly (() => void)[] = [
    () => {
      Deno.truncateSync(at.path, 5);
      Deno.truncateSync(at.path, MIB);
    },
    () => {
      // The inode of a removed file is given to the next one.
      Deno.removeSync(at.path);
      Deno.writeFileSync(at.path, sampleBytes(MIB, 1));
    },
  ];
  for (const change of changes) {
    change();
    const other = await DataFile.open(at.path, MIB, deps, never);
    notEqual(await other.fingerprint(never), left);
    other.close();
  }
  await deps.tasks.settled();
});

Deno.test("DataFile takes the place of leftovers that somebody still reads", async () => {
  await using at = await place();
  const deps = dataFiles();
  await Deno.writeTextFile(at.path, "from before");
  using reader = await Deno.open(at.path);
  const file = await DataFile.create(at.path, MIB, deps, never);
  await file.writeLater(new Uint8Array(100).fill(1), 0, never);
  const read = await new Response(reader.readable).text();
  equal(read, "from before");
  file.close();
  await deps.tasks.settled();
});

Deno.test("DataFile stays readable by those who have it open after its name is gone", async () => {
  await using at = await place();
  const deps = dataFiles();
  const file = await DataFile.create(at.path, MIB, deps, never);
  await file.writeLater(sampleBytes(100, 1), 0, never);
  await file.unlinkLater(never);
  await file.unlinkLater(never);
  await rejects(Deno.lstat(at.path), Deno.errors.NotFound);
  const back = new Uint8Array(100);
  equal(await file.readLater(back, 0, never), 100);
  deepEqual(back, sampleBytes(100, 1));
  file.close();
  await deps.tasks.settled();
  equal(await descriptorsOn(at.path), 0);
  await unlinkDataFile(at.path, deps, never);
});

Deno.test("DataFile closes its descriptors after the last call on them", async () => {
  await using at = await place();
  const deps = dataFiles(new DiskThreads(1, 16));
  const file = await DataFile.create(at.path, 8 * MIB, deps, never);
  const writes = [0, 1, 2, 3].map((index) =>
    file.writeLater(new Uint8Array(MIB).fill(index + 1), index * MIB, never)
  );
  file.close();
  await rejects(file.readLater(new Uint8Array(1), 0, never), { code: "gone" });
  await Promise.all(writes);
  await deps.tasks.settled();
  equal(await descriptorsOn(at.path), 0);
  const bytes = await Deno.readFile(at.path);
  deepEqual([0, 1, 2, 3].map((index) => bytes[index * MIB]), [1, 2, 3, 4]);
});

Deno.test("DataFile stops where a step hook throws, and leaves nothing open", async (t) => {
  for (const stop of ["create file", "size file", "write data", "unlink file"] as const) {
    await t.step(stop, async () => {
      await using at = await place();
      const taken: DurableStep[] = [];
      const deps = {
        ...dataFiles(),
        step(step: DurableStep) {
          taken.push(step);
          if (step === stop) throw new Error(`Stopped at ${stop}`);
        },
      };
      const whole = async () => {
        const file = await DataFile.create(at.path, MIB, deps, never);
        try {
          await file.writeLater(new Uint8Array(1), 0, never);
          await file.unlinkLater(never);
        } finally {
          file.close();
        }
      };
      await rejects(whole, { message: `Stopped at ${stop}` });
      await deps.tasks.settled();
      equal(taken.at(-1), stop);
      equal(await descriptorsOn(at.path), 0);
    });
  }
});

Deno.test("DataFile says that its disk is full, gone or failed", {
  ignore: cannotMount,
}, async () => {
  await using disk = await smallDisk(4 * MIB);
  const deps = dataFiles();
  const file = await DataFile.create(`${disk.path}/file`, 64 * MIB, deps, never);
  await rejects(file.writeLater(new Uint8Array(8 * MIB), 0, never), { code: "full" });
  await rejects(DataFile.create(`${disk.path}/gone/file`, 1, deps, never), { code: "gone" });
  // Room again: the same file takes more.
  await file.punchLater(0, 8 * MIB, never);
  await file.writeLater(new Uint8Array(MIB), 0, never);
  file.close();
  await deps.tasks.settled();
  await succeed("mount", "-o", "remount,ro", disk.path);
  await rejects(DataFile.create(`${disk.path}/new`, 1, deps, never), { code: "failed" });
});

Deno.test("DataFile leaves a disk that hangs a bounded number of threads", {
  ignore: cannotMount,
}, async () => {
  await using disk = await freezableDisk(16 * MIB);
  const deps = dataFiles(new DiskThreads(2, 2));
  const file = await DataFile.create(`${disk.path}/file`, 4 * MIB, deps, never);
  await file.writeLater(sampleBytes(MIB, 1), 0, never);
  await disk.freeze();
  const stuck = [1, 2].map((index) => file.writeLater(sampleBytes(MIB, index), index * MIB, never));
  const impatient = new AbortController();
  const queued = [3, 3].map((index) =>
    file.writeLater(sampleBytes(MIB, index), index * MIB, impatient.signal)
  );
  await rejects(file.writeLater(new Uint8Array(1), 0, never), { code: "failed" });
  impatient.abort(new Error("Nobody waits any more"));
  for (const write of queued) await rejects(write, { message: "Nobody waits any more" });
  // What is in the page cache needs no disk.
  equal(file.readCached(new Uint8Array(100), 0), 100);
  await disk.thaw();
  await Promise.all(stuck);
  file.close();
  await deps.tasks.settled();
});
