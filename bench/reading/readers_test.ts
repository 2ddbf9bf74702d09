import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { systemClock } from "../../cache/platform/clock.ts";
import { eventually } from "../../tests/support/eventually.ts";
import { findFiles } from "./files.ts";
import { type Pass, Readers, type Workload } from "./readers.ts";

const NEVER = new AbortController().signal;
const BYTES = 100_000;

/** Runs `body` with a directory of three files, and a workload over it. */
async function withFiles(
  body: (workload: Workload, directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "warpdrive-bench-" });
  try {
    await Deno.mkdir(`${directory}/sub`);
    await Deno.writeFile(`${directory}/empty`, new Uint8Array());
    for (const [index, name] of ["a", "b", "sub/c"].entries()) {
      await Deno.writeFile(`${directory}/${name}`, new Uint8Array(BYTES).fill(index + 1));
    }
    await body({
      pattern: "sequential",
      readers: 2,
      chunkBytes: 30_000,
      direct: false,
      seed: 1,
      digests: ["sha256", "crc32c"],
      sets: [await findFiles(directory, NEVER)],
    }, directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** A pass in which a file was read whole, which may take a busy machine more than one. */
function readWhole(readers: Readers): Promise<Pass> {
  return eventually("a file was read whole", async () => {
    const pass = await readers.read(0, 300, NEVER);
    return pass.digests.length > 0 ? pass : null;
  });
}

Deno.test("Readers reads whole files, counts each read and takes all checksums", async () => {
  await withFiles(async (workload, directory) => {
    using readers = await Readers.start(workload, systemClock);
    const { bytes, latencies, digests } = await readWhole(readers);
    assert.ok(bytes >= latencies.total * 10_000 && bytes <= latencies.total * 30_000);
    const expected = new Map(
      ["a", "b", "sub/c"].map((name, index) => [
        `${directory}/${name}`,
        createHash("sha256").update(new Uint8Array(BYTES).fill(index + 1)).digest("hex"),
      ]),
    );
    const hashes = digests.filter(({ digest }) => digest === "sha256");
    for (const { path, hex } of hashes) assert.equal(hex, expected.get(path));
    const crcs = digests.filter(({ digest }) => digest === "crc32c");
    assert.deepEqual(crcs.map(({ path }) => path), hashes.map(({ path }) => path));
    assert.equal(
      new Set(crcs.map(({ hex }) => hex)).size,
      new Set(crcs.map(({ path }) => path)).size,
    );
  });
});

Deno.test("Readers tells a checksum once in a pass, however often a file was read", async () => {
  await withFiles(async (workload, directory) => {
    using readers = await Readers.start({ ...workload, readers: 1 }, systemClock);
    const told = new Map<string, number>();
    const { digests } = await eventually("a file was read twice", async () => {
      const pass = await readers.read(0, 300, NEVER);
      return pass.bytes > 6 * BYTES ? pass : null;
    });
    for (const { path, digest } of digests) {
      told.set(`${path} ${digest}`, (told.get(`${path} ${digest}`) ?? 0) + 1);
    }
    assert.deepEqual([...new Set(told.values())], [1]);
    assert.ok(told.has(`${directory}/a sha256`));
  });
});

Deno.test("Readers reads past the page cache, also the odd end of a file", async () => {
  await withFiles(async (workload) => {
    using readers = await Readers.start(
      { ...workload, chunkBytes: 32_768, direct: true },
      systemClock,
    );
    const { bytes } = await readWhole(readers);
    assert.ok(bytes > 0);
  });
});

Deno.test("Readers says which file cannot be read, and lets the others stop", async () => {
  await withFiles(async (workload, directory) => {
    using readers = await Readers.start(workload, systemClock);
    await Deno.truncate(`${directory}/b`, 1_000);
    await assert.rejects(
      readers.read(0, 60_000, NEVER),
      /Cannot read ".*\/b": it ended at byte 1000, and was longer/,
    );
  });
});

Deno.test("Readers stops at once when it is told to", async () => {
  await withFiles(async (workload) => {
    using readers = await Readers.start(workload, systemClock);
    const stop = new AbortController();
    const reading = readers.read(0, 60_000, stop.signal);
    stop.abort(new Error("Stopped"));
    await assert.rejects(reading, /Stopped/);
  });
});

Deno.test("findFiles refuses a directory with nothing to read", async () => {
  const directory = await Deno.makeTempDir();
  try {
    await assert.rejects(findFiles(directory, NEVER), /holds no file with something in it/);
    await assert.rejects(findFiles(`${directory}/missing`, NEVER), /Cannot list ".*missing"/);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("Readers keeps files open between reads, and a bounded number of them", async () => {
  await withFiles(async (workload, directory) => {
    const many = Array.from({ length: 100 }, (_, index) => `${directory}/sub/${index}`);
    for (const path of many) await Deno.writeFile(path, new Uint8Array(10));
    const openBelow = (prefix: string) =>
      [...Deno.readDirSync("/proc/self/fd")].filter(({ name }) => {
        try {
          return Deno.readLinkSync(`/proc/self/fd/${name}`).startsWith(prefix);
        } catch {
          return false; // The descriptor of this very listing.
        }
      }).length;
    const random = { ...workload, digests: [], pattern: "random", readers: 1 } as const;
    using few = await Readers.start(random, systemClock);
    await eventually("all three are open", async () => {
      await few.read(0, 50, NEVER);
      return openBelow(directory) === 3;
    });
    const sets = [await findFiles(`${directory}/sub`, NEVER)];
    using more = await Readers.start({ ...random, chunkBytes: 10, sets }, systemClock);
    const open = () => openBelow(`${directory}/sub`);
    await eventually("as many are open as may be", async () => {
      await more.read(0, 50, NEVER);
      return open() === 64 + 1;
    });
    await more.read(0, 50, NEVER);
    assert.equal(open(), 64 + 1);
  });
});
