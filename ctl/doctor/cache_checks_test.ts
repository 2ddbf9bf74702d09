import { equal, match, rejects } from "node:assert/strict";
import { CacheDirectory } from "../../cache/disk/cache_directory.ts";
import type { DiskSpace } from "../../cache/disk/disk_space.ts";
import { APPLICATION_ID, FORMAT_VERSION } from "../../cache/index/schema.ts";
import { openDatabase } from "../../cache/index/database.ts";
import { systemClock } from "../../cache/platform/clock.ts";
import { Libc } from "../../cache/platform/libc.ts";
import { fakeHost } from "../../tests/support/fake_host.ts";
import { cacheDirectory, type CacheDirectoryFacts } from "./cache_directory.ts";
import { cacheLock, lookAtLock } from "./cache_lock.ts";
import { existingDirectory, lookAtPath } from "./cache_place.ts";
import { judgeSpace } from "./cache_space.ts";
import type { Check } from "./check.ts";
import { diskSpeed, GENTLE_TRIAL, judgeSpeed } from "./disk_speed.ts";
import { indexFormat, readHead } from "./index_format.ts";
import { sparseFiles } from "./sparse_files.ts";

const GIB = 2 ** 30;
const libc = Libc.open();

async function run(check: Check) {
  return await check.run(new AbortController().signal);
}

/** Runs `test` in a directory of its own. */
async function inDirectory(test: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await test(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** A machine with one disk of `type`, where only `/nvme` exists. */
function factsOf(type: string, writable = true): CacheDirectoryFacts {
  return {
    host: fakeHost({ "/proc/self/mountinfo": `36 35 0:50 / / rw - ${type} /dev/x rw\n` }),
    look: (path) => Promise.resolve(path === "/nvme" ? "directory" : null),
    writable: () => Promise.resolve(writable),
  };
}

Deno.test("the check of the cache directory looks where it would be created", async () => {
  const finding = await run(cacheDirectory("/nvme/wd/cache", factsOf("ext4")));
  equal(finding.state, "ok");
  equal(finding.detail, '"/nvme/wd/cache" will be created, on ext4');
  const refused = await run(cacheDirectory("/nvme/wd/cache", factsOf("ext4", false)));
  equal(refused.state, "fail");
  match(refused.detail, /may not write to "\/nvme"/);
});

Deno.test("the check of the cache directory warns about disks that are none", async () => {
  for (const type of ["nfs4", "fuse.s3fs", "tmpfs", "overlay"]) {
    equal((await run(cacheDirectory("/nvme", factsOf(type)))).state, "warn", type);
  }
  for (const type of ["ext4", "xfs", "btrfs", "fuseblk", "zfs"]) {
    equal((await run(cacheDirectory("/nvme", factsOf(type)))).state, "ok", type);
  }
});

Deno.test("the check of the cache directory refuses a file", async () => {
  const facts: CacheDirectoryFacts = { ...factsOf("ext4"), look: () => Promise.resolve("other") };
  match((await run(cacheDirectory("/nvme", facts))).detail, /is no directory/);
});

Deno.test("existingDirectory climbs to what is there", async () => {
  await inDirectory(async (directory) => {
    equal(await existingDirectory(`${directory}/a/b`, lookAtPath), directory);
    equal(await existingDirectory(directory, lookAtPath), directory);
  });
});

Deno.test("the check of space counts what is cached already, and what stays free", () => {
  const disk: DiskSpace = {
    totalBytes: 100 * GIB,
    freeBytes: 60 * GIB,
    totalInodes: 1e6,
    freeInodes: 1e6,
  };
  equal(judgeSpace(50 * GIB, disk, false).state, "ok");
  match(judgeSpace(60 * GIB, disk, false).detail, /there is room for 55 GiB/);
  equal(judgeSpace(90 * GIB, disk, true).state, "ok");
  match(judgeSpace(2048 * GIB, disk, true).detail, /there is room for 95 GiB/);
  match(judgeSpace(GIB, { ...disk, freeBytes: 5 * GIB }, true).detail, /nothing more is cached/);
  match(judgeSpace(GIB, { ...disk, freeInodes: 55_000 }, true).detail, /few files can be created/);
});

Deno.test("the check of sparse files tries a disk, and leaves nothing on it", async () => {
  await inDirectory(async (directory) => {
    const finding = await run(sparseFiles(() => Promise.resolve(directory), libc.files));
    equal(finding.state, "ok");
    equal([...Deno.readDirSync(directory)].length, 0);
  });
});

Deno.test("the check of sparse files says why nothing can be created", async () => {
  const nowhere = sparseFiles(() => Promise.resolve("/nonexistent"), libc.files);
  await rejects(run(nowhere), /No such file or directory/);
});

Deno.test("the check of speed says what it did, and leaves nothing on the disk", async () => {
  await inDirectory(async (directory) => {
    const finding = await run(diskSpeed({
      directory: () => Promise.resolve(directory),
      hasRoom: () => Promise.resolve(true),
      trial: () => GENTLE_TRIAL,
      libc,
      clock: systemClock,
    }));
    if (finding.state !== "skipped") match(finding.detail, /32 MiB with O_DIRECT, 1 at a time/);
    equal([...Deno.readDirSync(directory)].length, 0);
  });
});

Deno.test("the check of speed writes nothing on a disk that is nearly full", async () => {
  const full = await run(diskSpeed({
    directory: () => Promise.reject(new Error("Nobody asks")),
    hasRoom: () => Promise.resolve(false),
    trial: () => GENTLE_TRIAL,
    libc,
    clock: systemClock,
  }));
  equal(full.state, "skipped");
});

Deno.test("the check of speed leaves nothing when it is interrupted", async () => {
  await inDirectory(async (directory) => {
    const controller = new AbortController();
    const check = diskSpeed({
      directory: () => {
        controller.abort(new Error("Stopped by hand"));
        return Promise.resolve(directory);
      },
      hasRoom: () => Promise.resolve(true),
      trial: () => GENTLE_TRIAL,
      libc,
      clock: systemClock,
    });
    await rejects(check.run(controller.signal), /Stopped by hand/);
    equal([...Deno.readDirSync(directory)].length, 0);
  });
});

Deno.test("judgeSpeed warns about a disk that is slower than a network", () => {
  const fast = { pieces: 64, ms: 200 };
  match(judgeSpeed(fast, fast, 4).detail, /^writes 1\.3 GB\/s, reads 1\.3 GB\/s \(256 MiB/);
  equal(judgeSpeed(fast, fast, 4).state, "ok");
  equal(judgeSpeed({ pieces: 64, ms: 3_000 }, fast, 4).state, "warn");
  equal(judgeSpeed(fast, { pieces: 64, ms: 3_000 }, 4).state, "warn");
});

Deno.test("the check of the lock names the mount that has the cache, and leaves it", async () => {
  await inDirectory(async (directory) => {
    const path = `${directory}/cache`;
    const check = cacheLock(() => lookAtLock(path, libc));
    match((await run(check)).detail, /^free/);
    const holder = { pid: 4711, mountPoint: "/mnt/data", sinceMs: 0 };
    {
      using _held = CacheDirectory.open(path, holder, libc);
      const { state, detail } = await run(check);
      equal(state, "ok");
      match(detail, /process 4711 uses it for "\/mnt\/data" since 1970-01-01T00:00:00.000Z/);
    }
    match((await run(check)).detail, /^free/);
    using _again = CacheDirectory.open(path, holder, libc);
  });
});

Deno.test("the check of the lock does not call free what it may not look at", async () => {
  const hidden = await run(cacheLock(() => ({ kind: "hidden", reason: "EACCES" })));
  equal(`${hidden.state} ${hidden.detail}`, "skipped it cannot be looked at: EACCES");
  await inDirectory(async (directory) => {
    await Deno.symlink("elsewhere", `${directory}/LOCK`);
    equal(lookAtLock(directory, libc).kind, "hidden");
  });
});

Deno.test("the check of the index reads the format of a real one", async () => {
  await inDirectory(async (directory) => {
    const path = `${directory}/index.sqlite`;
    const check = indexFormat((bytes) => readHead(path, bytes));
    match((await run(check)).detail, /^none yet/);
    openDatabase(path).close();
    equal((await run(check)).detail, `format ${FORMAT_VERSION}, which this release uses`);
  });
});

Deno.test("the check of the index tells a newer format from damage", async () => {
  const header = (application: number, version: number) => {
    const head = new Uint8Array(100);
    head.set(new TextEncoder().encode("SQLite format 3\0"));
    new DataView(head.buffer).setUint32(60, version);
    new DataView(head.buffer).setUint32(68, application);
    return indexFormat(() => Promise.resolve(head));
  };
  equal((await run(header(APPLICATION_ID, FORMAT_VERSION))).state, "ok");
  equal((await run(header(APPLICATION_ID, FORMAT_VERSION + 1))).state, "fail");
  match((await run(header(1234, 1))).detail, /another program/);
  match((await run(header(0, 0))).detail, /its format is in its log/);
  const damaged = indexFormat(() => Promise.resolve(new Uint8Array(100)));
  match((await run(damaged)).detail, /damaged/);
});
