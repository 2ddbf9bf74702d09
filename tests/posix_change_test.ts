/** A source that changes under a real mount: new bytes at the next open, never a mixture. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ERRNO, SystemError } from "../cache/platform/errno.ts";
import { OPEN_FLAGS } from "../cache/platform/open_flags.ts";
import { type Mounted, mountTest, ROOT, type Step } from "./support/mounted.ts";
import { Posix } from "./support/posix.ts";
import { sampleBytes } from "./support/sample_bytes.ts";

const MIB = 1 << 20;
/** More than the kernel reads ahead. */
const SIZE = 16 * MIB;
const FIRST = sampleBytes(SIZE, 1);
const SECOND = sampleBytes(SIZE, 2);

async function fill(source: string): Promise<void> {
  await Deno.writeFile(`${source}/in-place`, FIRST);
  await Deno.writeFile(`${source}/replaced`, FIRST);
  await Deno.writeFile(`${source}/deleted`, FIRST);
  await Deno.writeFile(`${source}/open`, FIRST);
  await Deno.writeFile(`${source}/gone`, FIRST);
  await Deno.mkdir(`${source}/directory`);
}

/** Replaces `path` by a file that is complete from its first moment on. */
async function replace(path: string, content: Uint8Array): Promise<void> {
  await Deno.writeFile(`${path}.new`, content);
  await Deno.rename(`${path}.new`, path);
}

async function changeSteps({ data, place }: Mounted, step: Step): Promise<void> {
  const source = place.source;
  const reads = async (name: string, wanted: Uint8Array) =>
    equal(Buffer.compare(await Deno.readFile(`${data}/${name}`), wanted), 0);
  await step("shows new bytes at the next open after the file was rewritten", async () => {
    await reads("in-place", FIRST);
    await Deno.writeFile(`${source}/in-place`, SECOND);
    await reads("in-place", SECOND);
  });
  await step("shows new bytes at the next open after the file was replaced", async () => {
    await reads("replaced", FIRST);
    await replace(`${source}/replaced`, SECOND);
    await reads("replaced", SECOND);
  });
  await step("shows a shorter file as it is now", async () => {
    await Deno.writeFile(`${source}/in-place`, FIRST.subarray(0, 1_000));
    await reads("in-place", FIRST.subarray(0, 1_000));
    equal((await Deno.stat(`${data}/in-place`)).size, 1_000);
  });
  await step("lists what came and leaves out what went", async () => {
    const list = async () =>
      (await Array.fromAsync(Deno.readDir(`${data}/directory`))).map(({ name }) => name).sort();
    deepEqual(await list(), []);
    for (const name of ["a", "b"]) await Deno.writeTextFile(`${source}/directory/${name}`, name);
    deepEqual(await list(), ["a", "b"]);
    await Deno.remove(`${source}/directory/a`);
    await Deno.mkdir(`${source}/directory/c`);
    deepEqual(await list(), ["b", "c"]);
  });
}

async function goneStep({ data, place }: Mounted, step: Step): Promise<void> {
  await step("does not find what was deleted", async () => {
    await Deno.stat(`${data}/deleted`);
    await Deno.remove(`${place.source}/deleted`);
    using posix = new Posix();
    equal(await posix.call("access", `${data}/deleted`, 0), -ERRNO.ENOENT);
    equal(await posix.call("open", `${data}/deleted`, OPEN_FLAGS.RDONLY, 0), -ERRNO.ENOENT);
  });
}

/** Answers are asked for again each time. */
const UNCACHED = { attr_timeout: "0", entry_timeout: "0", negative_timeout: "0" };
const SERVED = { ...UNCACHED, passthrough: false };

if (ROOT) {
  mountTest("A changing source in passthrough", { fill }, changeSteps);
  const settings = { fill, config: { fuse: UNCACHED } };
  mountTest("A changing source in passthrough, nothing kept", settings, async (mounted, step) => {
    await changeSteps(mounted, step);
    await goneStep(mounted, step);
  });
}

const DAEMON = { fill, config: { fuse: { passthrough: false } } };
mountTest("A changing source served by the daemon", DAEMON, changeSteps);

const STRICT = { fill, config: { fuse: SERVED } };
mountTest("A changing source with nothing kept", STRICT, async (mounted, step) => {
  await changeSteps(mounted, step);
  await goneStep(mounted, step);
  const { data, place } = mounted;
  using posix = new Posix();
  for (
    const [how, name, change] of [
      ["rewritten", "open", (path: string) => Deno.writeFile(path, SECOND)],
      ["deleted", "gone", (path: string) => Deno.remove(path)],
    ] as const
  ) {
    await step(`never mixes versions in a handle whose file is ${how}`, async () => {
      const fd = await posix.open(`${data}/${name}`);
      deepEqual(await posix.read(fd, 0, 4096), FIRST.slice(0, 4096));
      await change(`${place.source}/${name}`);
      for (let offset = 0; offset < SIZE; offset += 777_777) {
        const read = await posix.read(fd, offset, 4096).catch((error: unknown) => {
          if (error instanceof SystemError) return error.errno;
          throw error;
        });
        if (typeof read === "number") equal(read, ERRNO.ESTALE, `at ${offset}`);
        else deepEqual(read, FIRST.slice(offset, offset + 4096), `at ${offset}`);
      }
      // Far from all that the kernel had read ahead.
      if (how === "rewritten") {
        const late = await posix.read(fd, SIZE - 4096, 4096).catch((error: unknown) => error);
        ok(late instanceof SystemError && late.errno === ERRNO.ESTALE, String(late));
      }
      await posix.done("close", fd);
    });
  }
  await step("reads the new version in the next handle of a rewritten file", async () => {
    equal(Buffer.compare(await Deno.readFile(`${data}/open`), SECOND), 0);
  });
});
