import { equal, match, rejects } from "node:assert/strict";
import { APPLICATION_ID, FORMAT_VERSION } from "../../cache/index/schema.ts";
import { openDatabase } from "../../cache/index/database.ts";
import { systemClock } from "../../cache/platform/clock.ts";
import { Libc } from "../../cache/platform/libc.ts";
import type { Check } from "./check.ts";
import { diskSpeed, GENTLE_TRIAL, judgeSpeed } from "./disk_speed.ts";
import { indexFormat, readHead } from "./index_format.ts";
import { sparseFiles } from "./sparse_files.ts";

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

Deno.test("the check of sparse files tries a disk, and leaves nothing on it", async () => {
  await inDirectory(async (directory) => {
    const finding = await run(sparseFiles(() => Promise.resolve(directory), libc.files));
    equal(finding.state, "ok");
    equal([...Deno.readDirSync(directory)].length, 0);
  });
});

Deno.test("the check of sparse files says where nothing can be created", async () => {
  const nowhere = sparseFiles(() => Promise.resolve("/nonexistent"), libc.files);
  await rejects(run(nowhere), { message: 'Cannot create a file in "/nonexistent"' });
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
