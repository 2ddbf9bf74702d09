/** Damage to data files, while nobody uses the cache and while somebody does. */
import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import {
  cachePlace,
  CacheProcess,
  dataFilesIn,
  readAt,
  readsAs,
} from "../../tests/support/cache_process.ts";
import { eventually } from "../../tests/support/eventually.ts";
import { sampleBytes } from "../../tests/support/sample_bytes.ts";
import { withSeed } from "../../tests/support/seeded_random.ts";
import { WatchedBackend } from "../../tests/support/watched_backend.ts";
import type { ObjectEntry } from "../backend/backend.ts";
import { CHUNK_BYTES } from "./chunk_map.ts";

const MIB = 1 << 20;

interface Sample {
  readonly path: string;
  readonly content: Uint8Array<ArrayBuffer>;
  readonly entry: ObjectEntry;
}

/** Three objects of one size, so that their files can be swapped unnoticed. */
function samples(backend: WatchedBackend): [Sample, Sample, Sample] {
  const sample = (number: number): Sample => {
    const content = sampleBytes(3 * MIB + 99, number);
    return { path: `file${number}`, content, entry: backend.seed(`file${number}`, content) };
  };
  return [sample(1), sample(2), sample(3)];
}

async function readAll(process: CacheProcess, all: readonly Sample[]): Promise<void> {
  for (const { path, entry, content } of all) await process.readsAs(path, entry, content);
}

/** A data file and what it holds. */
async function fileOf(root: string, { content }: Sample): Promise<string> {
  for (const path of await dataFilesIn(root)) {
    const bytes = await Deno.readFile(path);
    if (bytes.length === content.length && bytes[5] === content[5] && bytes[9] === content[9]) {
      return path;
    }
  }
  throw new Error("No data file holds this object");
}

async function flipBit(path: string, offset: number): Promise<void> {
  using file = await Deno.open(path, { read: true, write: true });
  const byte = new Uint8Array(1);
  await file.seek(offset, Deno.SeekMode.Start);
  await file.read(byte);
  await file.seek(offset, Deno.SeekMode.Start);
  await file.write(Uint8Array.of((byte[0] ?? 0) ^ 4));
}

/** What may happen to the file of the first of three objects. */
const ACCIDENTS: Readonly<
  Record<string, (path: string, other: string, size: number) => Promise<void>>
> = {
  "a flipped bit": (path) => flipBit(path, 2 * MIB + 17),
  "zeros in the middle": async (path) => {
    using file = await Deno.open(path, { write: true });
    await file.seek(MIB, Deno.SeekMode.Start);
    await file.write(new Uint8Array(4_096));
  },
  "a truncation": (path) => Deno.truncate(path, MIB + 1),
  "a truncation and growth to its size": async (path, _other, size) => {
    await Deno.truncate(path, MIB);
    await Deno.truncate(path, size);
  },
  "growth": (path, _other, size) => Deno.truncate(path, size + 1),
  "a deletion": (path) => Deno.remove(path),
  "a replacement of its size": async (path, _other, size) => {
    await Deno.remove(path);
    await Deno.writeFile(path, sampleBytes(size, 99));
  },
  "a replacement by a directory": async (path) => {
    await Deno.remove(path);
    await Deno.mkdir(path);
  },
  "a swap with another object": async (path, other) => {
    await Deno.rename(path, `${path}-`);
    await Deno.rename(other, path);
    await Deno.rename(`${path}-`, other);
  },
};

for (const [accident, happen] of Object.entries(ACCIDENTS)) {
  Deno.test(`StoredChunks survives ${accident} of a data file nobody uses`, async () => {
    await using at = await cachePlace();
    const backend = new WatchedBackend();
    const all = samples(backend);
    const [hurt, other] = all;
    {
      await using process = await CacheProcess.start(at.path, backend);
      await readAll(process, all);
    }
    await happen(await fileOf(at.path, hurt), await fileOf(at.path, other), hurt.content.length);
    backend.reads.length = 0;
    await using process = await CacheProcess.start(at.path, backend);
    await readAll(process, all);
    ok(backend.bytesRead > 0, "the store is asked for what was hurt");
    ok(backend.bytesRead <= 2 * hurt.content.length, "and for nothing else");
    ok(process.metrics.corruptions > 0);
    ok(process.logged("warn").length + process.logged("error").length > 0);
    await process.settled();
    await process.allClosed();
    backend.reads.length = 0;
    await readAll(process, all);
    deepEqual(backend.reads, []);
    equal(process.health.state.kind, "working");
  });

  Deno.test(`StoredChunks survives ${accident} of a data file that was closed`, async () => {
    await using at = await cachePlace();
    const backend = new WatchedBackend();
    const all = samples(backend);
    const [hurt, other] = all;
    await using process = await CacheProcess.start(at.path, backend);
    await readAll(process, all);
    await process.settled();
    await process.allClosed();
    await happen(await fileOf(at.path, hurt), await fileOf(at.path, other), hurt.content.length);
    backend.reads.length = 0;
    await readAll(process, all);
    ok(backend.bytesRead > 0 && process.metrics.corruptions > 0);
    await process.settled();
    await readAll(process, all);
    equal(process.health.state.kind, "working");
  });
}

for (const accident of ["a truncation", "a deletion", "a replacement of its size"]) {
  Deno.test(`StoredChunks survives ${accident} of a data file that is open`, async () => {
    await using at = await cachePlace();
    const backend = new WatchedBackend();
    const all = samples(backend);
    const [hurt, other] = all;
    const { content } = hurt;
    await using process = await CacheProcess.start(at.path, backend);
    await readAll(process, all);
    await process.settled();
    const object = await process.open(hurt.path, hurt.entry);
    const happen = ACCIDENTS[accident];
    await happen?.(await fileOf(at.path, hurt), await fileOf(at.path, other), content.length);
    // From the end, so that what is fetched again and written makes the file long again.
    for (let offset = content.length - 99; offset >= 0; offset -= MIB / 2) {
      const length = Math.min(MIB / 2, content.length - offset);
      deepEqual(await readAt(object, offset, length), content.slice(offset, offset + length));
      await process.settled();
    }
    await readsAs(object, content);
    object.close();
    // Whatever the next open is given, it holds the right bytes.
    for (let pass = 0; pass < 2; pass += 1) {
      const again = await process.open(hurt.path, hurt.entry);
      const fd = again.backingFd;
      if (fd !== null) {
        deepEqual(await Deno.readFile(`/proc/self/fd/${fd}`), content);
      }
      await readsAs(again, content);
      again.close();
      await process.settled();
      await process.allClosed();
    }
    equal(process.health.state.kind, "working");
  });
}

Deno.test("StoredChunks passes no file through that was hurt and is being verified", async () => {
  await using at = await cachePlace();
  const backend = new WatchedBackend();
  const [hurt] = samples(backend);
  {
    await using process = await CacheProcess.start(at.path, backend);
    await readAll(process, [hurt]);
  }
  await flipBit(await fileOf(at.path, hurt), 2 * MIB);
  await using process = await CacheProcess.start(at.path, backend);
  const object = await process.open(hurt.path, hurt.entry);
  await eventually("the damage is found", () => Promise.resolve(process.metrics.corruptions === 1));
  equal(object.backingFd, null);
  backend.reads.length = 0;
  await readsAs(object, hurt.content);
  equal(backend.bytesRead, CHUNK_BYTES);
  await process.settled();
  notEqual(object.backingFd, null);
  deepEqual(await Deno.readFile(`/proc/self/fd/${object.backingFd}`), hurt.content);
  object.close();
});

Deno.test("StoredChunks finds every one of many flipped bits", async () => {
  await withSeed(7, async (random) => {
    await using at = await cachePlace();
    const backend = new WatchedBackend();
    const all = samples(backend);
    {
      await using process = await CacheProcess.start(at.path, backend);
      await readAll(process, all);
    }
    const chunks = new Set<string>();
    for (const path of await dataFilesIn(at.path)) {
      for (let flip = 0; flip < 10; flip += 1) {
        const offset = random.below(3 * MIB);
        const chunk = `${path} ${Math.floor(offset / CHUNK_BYTES)}`;
        if (chunks.has(chunk)) continue;
        chunks.add(chunk);
        await flipBit(path, offset);
      }
    }
    await using process = await CacheProcess.start(at.path, backend);
    await readAll(process, all);
    await process.settled();
    equal(process.metrics.corruptions, chunks.size);
  });
});
