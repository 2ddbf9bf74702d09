/** A cache whose disk is full, hangs or breaks: reads go on, and keeping begins again. */
import { deepEqual, equal, ok } from "node:assert/strict";
import type { ObjectEntry } from "../cache/backend/backend.ts";
import { cachePlace, CacheProcess, readAt } from "./support/cache_process.ts";
import { succeed } from "./support/command.ts";
import { eventually } from "./support/eventually.ts";
import { type DiskCall, HangingLibc } from "./support/hanging_libc.ts";
import { sampleBytes } from "./support/sample_bytes.ts";
import { cannotMount, diskOfFewFiles, freezableDisk, smallDisk } from "./support/test_disk.ts";
import { WatchedBackend } from "./support/watched_backend.ts";

const MIB = 1 << 20;

interface Sample {
  readonly path: string;
  readonly content: Uint8Array<ArrayBuffer>;
  readonly entry: ObjectEntry;
}

function samples(
  backend: WatchedBackend,
  count: number,
  sizeBytes: number,
  prefix = "file",
): Sample[] {
  return Array.from({ length: count }, (_, number) => {
    const content = sampleBytes(sizeBytes, number);
    const path = `${prefix}${number}`;
    return { path, content, entry: backend.seed(path, content) };
  });
}

async function readAll(process: CacheProcess, all: readonly Sample[]): Promise<void> {
  for (const { path, entry, content } of all) await process.readsAs(path, entry, content);
}

async function becomes(process: CacheProcess, kind: "working" | "bypassed"): Promise<void> {
  await eventually(
    `the cache is ${kind}`,
    () => Promise.resolve(process.health.state.kind === kind),
  );
}

/** No fetch holds memory, whatever its disk does. */
async function memoryIsBack(process: CacheProcess): Promise<void> {
  await eventually("memory is back", () => Promise.resolve(process.buffers.takenBytes === 0));
}

/** Bytes the file system of `path` has left. */
async function freeBytes(path: string): Promise<number> {
  return Number((await succeed("df", "--output=avail", "-B1", path)).split("\n")[1]);
}

/** Files the file system of `path` can still hold. */
async function freeFiles(path: string): Promise<number> {
  return Number((await succeed("df", "--output=iavail", path)).split("\n")[1]);
}

Deno.test({
  name: "A cache leaves a twentieth of its disk free, whatever max_size says",
  ignore: cannotMount,
  fn: async () => {
    await using disk = await smallDisk(16 * MIB);
    const backend = new WatchedBackend();
    const all = samples(backend, 24, MIB);
    await using process = await CacheProcess.start(disk.path, backend, { policy: "lru" });
    for (const sample of all) {
      await readAll(process, [sample]);
      await process.settled();
      ok(await freeBytes(disk.path) >= 16 * MIB / 20 - 256 * 1024);
    }
    equal(process.health.state.kind, "working");
    equal(process.buffers.takenBytes, 0);
  },
});

Deno.test({
  name: "A cache on a disk that others filled reads through, and keeps again when there is room",
  ignore: cannotMount,
  fn: async () => {
    await using disk = await smallDisk(16 * MIB);
    const backend = new WatchedBackend();
    const all = samples(backend, 6, MIB);
    const [first, second, ...others] = all;
    ok(first && second);
    await using process = await CacheProcess.start(disk.path, backend, { policy: "none" });
    await readAll(process, [first]);
    await process.settled();
    // The cache believes for a second what it was told about its disk.
    const object = await process.open(second.path, second.entry);
    await readAt(object, 0, 1);
    await process.settled();
    await Deno.writeFile(`${disk.path}/stranger`, new Uint8Array(16 * MIB)).catch(() => undefined);
    await readAll(process, [first, second, ...others]);
    object.close();
    await becomes(process, "bypassed");
    await memoryIsBack(process);
    await Deno.remove(`${disk.path}/stranger`);
    await becomes(process, "working");
    await process.allClosed();
    await readAll(process, all);
    await process.settled();
    await process.allClosed();
    await readAll(process, all);
    await process.settled();
    backend.reads.length = 0;
    await readAll(process, all);
    deepEqual(backend.reads, []);
  },
});

Deno.test({
  name: "A cache on a disk that others filled for good gives up what it needs to go on",
  ignore: cannotMount,
  fn: async () => {
    await using disk = await smallDisk(64 * MIB);
    const backend = new WatchedBackend();
    const [late, ...kept] = samples(backend, 41, MIB);
    ok(late);
    await using process = await CacheProcess.start(disk.path, backend);
    await readAll(process, kept);
    await process.settled();
    // The cache believes for a second what it was told about its disk.
    const object = await process.open(late.path, late.entry);
    await readAt(object, 0, 1);
    await process.settled();
    await Deno.writeFile(`${disk.path}/stranger`, new Uint8Array(64 * MIB)).catch(() => undefined);
    equal(await freeBytes(disk.path), 0);
    for (let offset = 0; offset < MIB; offset += MIB / 8) await readAt(object, offset, 1);
    object.close();
    await eventually("the disk was full", () => {
      return Promise.resolve(process.logged("error").length > 0);
    });
    await becomes(process, "working");
    await process.settled();
    ok(await freeBytes(disk.path) >= 64 * MIB / 20, "it is above its floor again");
    await readAll(process, kept.slice(-1));
    equal(process.metrics.corruptions, 0);
    await memoryIsBack(process);
  },
});

Deno.test({
  name: "A cache leaves a twentieth of the files of its disk to others",
  ignore: cannotMount,
  fn: async () => {
    await using disk = await diskOfFewFiles(400);
    const backend = new WatchedBackend();
    const all = samples(backend, 200, 4_096);
    await using process = await CacheProcess.start(disk.path, backend, { policy: "lru" });
    for (const sample of all) {
      await readAll(process, [sample]);
      await process.settled();
      ok(await freeFiles(disk.path) >= 400 / 20 - 2);
    }
    equal(process.health.state.kind, "working");
    deepEqual(process.logged("error"), []);
  },
});

Deno.test({
  name: "A cache on a disk that takes no more writes reads through at once",
  ignore: cannotMount,
  fn: async () => {
    await using disk = await freezableDisk(64 * MIB);
    const backend = new WatchedBackend();
    const all = samples(backend, 6, 2 * MIB);
    await using process = await CacheProcess.start(disk.path, backend);
    await readAll(process, all.slice(0, 2));
    await process.settled();
    await disk.freeze();
    // Four times what the memory for fetches would hold, if nothing came back.
    const more = samples(backend, 64, 4 * MIB, "more");
    await readAll(process, more);
    await becomes(process, "bypassed");
    backend.reads.length = 0;
    await readAll(process, all.slice(0, 1));
    await memoryIsBack(process);
    await disk.thaw();
    await becomes(process, "working");
    await readAll(process, all);
    await process.settled();
    equal(process.buffers.takenBytes, 0);
    equal(process.metrics.corruptions, 0);
  },
});

Deno.test({
  name: "A cache on a disk that became read-only reads through",
  ignore: cannotMount,
  fn: async () => {
    await using disk = await freezableDisk(64 * MIB);
    const backend = new WatchedBackend();
    const all = samples(backend, 8, 2 * MIB);
    await using process = await CacheProcess.start(disk.path, backend);
    await readAll(process, all.slice(0, 2));
    await process.settled();
    // What ext4 does when its device fails.
    await succeed("mount", "-o", "remount,abort", disk.path);
    await readAll(process, all);
    await becomes(process, "bypassed");
    await readAll(process, all);
    await memoryIsBack(process);
    equal(process.metrics.corruptions, 0);
  },
});

const HANGS: Readonly<Record<string, readonly DiskCall[]>> = {
  "reading": ["readLater"],
  "opening": ["openLater"],
  "looking": ["statusLater"],
  "creating": ["truncateLater"],
  "writing": ["writeAtLater"],
  "everything": ["readLater", "openLater", "statusLater", "writeAtLater", "truncateLater"],
};

for (const [what, calls] of Object.entries(HANGS)) {
  Deno.test(`A cache whose disk hangs in ${what} reads through, and comes back`, async () => {
    await using at = await cachePlace();
    const backend = new WatchedBackend();
    const all = samples(backend, 12, 4 * MIB);
    const hanging = new HangingLibc();
    const settings = { libc: hanging.libc, memoryBytes: 16 * MIB };
    {
      await using process = await CacheProcess.start(at.path, backend, settings);
      await readAll(process, all.slice(0, 3));
    }
    await using process = await CacheProcess.start(at.path, backend, settings);
    hanging.hang(...calls);
    try {
      await readAll(process, all);
      ok(process.logged("error").length > 0);
      await memoryIsBack(process);
    } finally {
      hanging.answer();
    }
    await becomes(process, "working");
    await process.settled();
    await process.allClosed();
    for (let pass = 0; pass < 2; pass += 1) {
      await readAll(process, all);
      await process.settled();
      await process.allClosed();
    }
    backend.reads.length = 0;
    await readAll(process, all);
    deepEqual(backend.reads, []);
    equal(process.buffers.takenBytes, 0);
    equal(process.metrics.corruptions, 0);
  });
}
