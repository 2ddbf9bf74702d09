/** Bytes read through a real mount, by the kernel alone (passthrough) and by way of the daemon. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ERRNO } from "../cache/platform/errno.ts";
import { OPEN_FLAGS } from "../cache/platform/open_flags.ts";
import { run, succeed } from "./support/command.ts";
import { type Mounted, mountTest, ROOT, type Step } from "./support/mounted.ts";
import { MAP, Posix, SEEK } from "./support/posix.ts";
import { sampleBytes } from "./support/sample_bytes.ts";

const MIB = 1 << 20;
/** Not a multiple of any page or block. */
const SIZE = 5 * MIB + 4_321;
const CONTENT = sampleBytes(SIZE, 1);
/** Data in the second and the fourth MiB of five. */
const SPARSE = [MIB, 3 * MIB];
const SPARSE_SIZE = 5 * MIB;

async function fill(source: string): Promise<void> {
  await Deno.writeFile(`${source}/content`, CONTENT);
  await Deno.writeFile(`${source}/empty`, new Uint8Array(0));
  await Deno.writeTextFile(`${source}/script`, '#!/bin/sh\necho "ran $1"\n', { mode: 0o755 });
  await Deno.writeTextFile(`${source}/plain`, "#!/bin/sh\n", { mode: 0o644 });
  await Deno.copyFile(await Deno.realPath("/bin/true"), `${source}/true`);
  await Deno.chmod(`${source}/true`, 0o755);
  using sparse = await Deno.open(`${source}/sparse`, { write: true, create: true });
  for (const offset of SPARSE) {
    await sparse.seek(offset, Deno.SeekMode.Start);
    await sparse.write(sampleBytes(MIB, offset));
  }
  await sparse.truncate(SPARSE_SIZE);
}

/** Offsets and lengths that begin and end in the middle of pages, chunks and blocks. */
function oddRanges(): readonly (readonly [number, number])[] {
  const picks = new Uint32Array(sampleBytes(400, 7).buffer);
  return Array.from({ length: 50 }, (_, index) => {
    const offset = (picks[2 * index] ?? 0) % SIZE;
    return [offset, 1 + (picks[2 * index + 1] ?? 0) % (2 * MIB)] as const;
  });
}

async function readingSteps({ data }: Mounted, step: Step): Promise<void> {
  using posix = new Posix();
  await step("a file reads as it is, from start to end", async () => {
    deepEqual(await Deno.readFile(`${data}/content`), CONTENT);
  });
  await step("every range of a file reads as it is", async () => {
    const fd = await posix.open(`${data}/content`);
    for (const [offset, length] of oddRanges()) {
      const read = await posix.read(fd, offset, length);
      ok(same(read, CONTENT.subarray(offset, offset + length)), `${length} bytes at ${offset}`);
    }
    await posix.done("close", fd);
  });
  await step("a read at or past the end gives nothing", async () => {
    const fd = await posix.open(`${data}/content`);
    for (const offset of [SIZE, SIZE + 1, SIZE + 10 * MIB]) {
      equal((await posix.read(fd, offset, 4096)).length, 0);
    }
    equal((await posix.read(fd, SIZE - 1, 4096)).length, 1);
    await posix.done("close", fd);
  });
  await step("an empty file reads as nothing", async () => {
    equal((await Deno.readFile(`${data}/empty`)).length, 0);
  });
  for (const [name, flags] of [["shared", MAP.SHARED], ["private", MAP.PRIVATE]] as const) {
    await step(`a ${name} mapping shows the file, after it was closed too`, async () => {
      const fd = await posix.open(`${data}/content`);
      ok(same(await posix.readMapped(fd, SIZE, flags), CONTENT));
      await posix.done("close", fd);
    });
  }
  await step("sendfile and splice move the bytes of the file", async () => {
    ok(same(await piped(posix, `${data}/content`, "sendfile64"), CONTENT.subarray(0, 65_536)));
    ok(same(await piped(posix, `${data}/content`, "splice"), CONTENT.subarray(0, 65_536)));
  });
}

async function programSteps({ data }: Mounted, step: Step): Promise<void> {
  using posix = new Posix();
  await step("cp copies the file", async () => {
    const copy = await Deno.makeTempFile();
    try {
      await succeed("cp", `${data}/content`, copy);
      ok(same(await Deno.readFile(copy), CONTENT));
    } finally {
      await Deno.remove(copy);
    }
  });
  await step(
    "a script and a binary run from the mount, what is not executable does not",
    async () => {
      equal(await succeed(`${data}/script`, "well"), "ran well\n");
      await succeed(`${data}/true`);
      const { code, stderr } = await run("sh", "-c", `exec "${data}/plain"`);
      equal(code, 126);
      ok(/Permission denied/.test(stderr), stderr);
    },
  );
  await step("holes of a sparse file are found and read as zeros", async () => {
    const fd = await posix.open(`${data}/sparse`);
    const seek = (offset: number, whence: number) => posix.call("lseek", fd, offset, whence);
    equal(await seek(0, SEEK.HOLE), 0);
    equal(await seek(0, SEEK.DATA), MIB);
    equal(await seek(MIB + 5, SEEK.DATA), MIB + 5);
    equal(await seek(MIB, SEEK.HOLE), 2 * MIB);
    equal(await seek(2 * MIB, SEEK.DATA), 3 * MIB);
    equal(await seek(4 * MIB, SEEK.DATA), -ERRNO.ENXIO);
    equal(await seek(SPARSE_SIZE, SEEK.HOLE), -ERRNO.ENXIO);
    ok(same(await posix.read(fd, 2 * MIB - 10, 20).then((bytes) => bytes.slice(10)), ZEROS));
    await posix.done("close", fd);
  });
  await step("2,000 files are open at once and all read", async () => {
    const fds: number[] = [];
    for (let index = 0; index < 2_000; index += 1) fds.push(await posix.open(`${data}/content`));
    for (const [index, fd] of fds.entries()) {
      const read = await posix.read(fd, index * 1_000, 100);
      ok(same(read, CONTENT.subarray(index * 1_000, index * 1_000 + 100)));
    }
    for (const fd of fds) await posix.done("close", fd);
  });
}

const ZEROS = new Uint8Array(10);

/** 64 KiB, as much as a pipe holds, moved out of `path` by the kernel. */
async function piped(posix: Posix, path: string, by: "sendfile64" | "splice") {
  const fd = await posix.open(path);
  const [output, input] = await posix.pipe();
  const moved = by === "splice"
    ? await posix.done("splice", fd, 0, input, 0, 65_536, 0)
    : await posix.done("sendfile64", input, fd, null, 65_536);
  equal(moved, 65_536);
  const bytes = await posix.readStream(output, moved);
  for (const open of [fd, input, output]) await posix.done("close", open);
  return bytes;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

if (ROOT) {
  mountTest("A local file in passthrough", { fill }, async (mounted, step) => {
    await step("the kernel reads it by itself", async () => {
      ok(mounted.passthrough);
      const reads = 'warpdrive_fuse_operations_total{operation="read"}';
      await Deno.readFile(`${mounted.data}/content`);
      const metrics = await mounted.metrics();
      equal(metrics.get(reads) ?? 0, 0);
      equal(metrics.get("warpdrive_passthrough_opens_total"), 1);
      equal(metrics.get("warpdrive_passthrough_bytes_total"), SIZE);
    });
    await readingSteps(mounted, step);
    await programSteps(mounted, step);
    await step("O_DIRECT reads aligned ranges", async () => {
      using posix = new Posix();
      const fd = await posix.open(`${mounted.data}/content`, OPEN_FLAGS.DIRECT);
      ok(same(await posix.read(fd, MIB, MIB), CONTENT.subarray(MIB, 2 * MIB)));
      await posix.done("close", fd);
    });
  });
}

const SERVED = { fuse: { passthrough: false } };

mountTest("A local file served by the daemon", { fill, config: SERVED }, async (mounted, step) => {
  await step("the daemon is asked for its bytes", async () => {
    equal(mounted.passthrough, false);
    await Deno.readFile(`${mounted.data}/content`);
    const metrics = await mounted.metrics();
    ok((metrics.get('warpdrive_fuse_operations_total{operation="read"}') ?? 0) > 0);
    equal(metrics.get("warpdrive_passthrough_opens_total") ?? 0, 0);
  });
  await readingSteps(mounted, step);
  await programSteps(mounted, step);
  await step("O_DIRECT reads every range, whatever its alignment", async () => {
    using posix = new Posix();
    const fd = await posix.open(`${mounted.data}/content`, OPEN_FLAGS.DIRECT);
    for (const [offset, length] of oddRanges()) {
      const read = await posix.read(fd, offset, length);
      ok(same(read, CONTENT.subarray(offset, offset + length)), `${length} bytes at ${offset}`);
    }
    await posix.done("close", fd);
  });
});
