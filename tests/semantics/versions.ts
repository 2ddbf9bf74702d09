import { deepEqual, equal, notEqual, rejects } from "node:assert/strict";
import { ERRNO } from "../../cache/platform/errno.ts";
import { FileSystemFixture, SETTINGS } from "../support/file_system.ts";
import { LARGE_BYTES, LATER, readAt, type Sentence, sentence, version } from "./world.ts";

const MIB = 1 << 20;
export const VERSIONS: readonly Sentence[] = [
  sentence(
    "An open file never shows bytes of another version than the one that was opened.",
    async (world) => {
      await world.put("mixed", version(1));
      const fd = await world.posix.open(`${world.strict.path}/store/mixed`);
      await readAt(world, fd, 0);
      await world.put("mixed", version(2));
      const next = await world.posix.open(`${world.strict.path}/store/mixed`);
      for (let offset = 0; offset < LARGE_BYTES; offset += MIB / 2) {
        const range = [offset, offset + 4096] as const;
        deepEqual(await readAt(world, next, offset), version(2).slice(...range));
        const read = await readAt(world, fd, offset);
        if (read !== ERRNO.ESTALE) deepEqual(read, version(1).slice(...range));
      }
      for (const open of [fd, next]) await world.posix.done("close", open);
    },
  ),
  sentence("Bytes of a version that the store no longer has are ESTALE.", async (world) => {
    await world.put("lost", version(1));
    const fd = await world.posix.open(`${world.usual.path}/store/lost`);
    await world.put("lost", version(2));
    equal(await readAt(world, fd, 0), ERRNO.ESTALE);
    await world.posix.done("close", fd);
  }),
  sentence(
    "Bytes that the kernel has kept go on being read after the store has lost their version.",
    async (world) => {
      await world.put("kept", version(1));
      const fd = await world.posix.open(`${world.usual.path}/store/kept`);
      const before = await readAt(world, fd, 0);
      await world.put("kept", version(2));
      equal(await readAt(world, fd, LATER), ERRNO.ESTALE);
      deepEqual(await readAt(world, fd, 0), before);
      deepEqual(before, version(1).slice(0, 4096));
      await world.posix.done("close", fd);
    },
  ),
  sentence(
    "The next open shows the current version, after `stale_ttl` at the latest.",
    async (world) => {
      const path = `${world.strict.path}/store/overwritten`;
      for (const text of ["one", "another"]) {
        await world.put("overwritten", new TextEncoder().encode(text));
        equal(await Deno.readTextFile(path), text);
      }
      await onlyAfterStaleTtl();
    },
  ),
  sentence(
    "When a read has failed with ESTALE, the next open shows the current version at once.",
    async (world) => {
      const path = `${world.usual.path}/store/noticed`;
      await world.put("noticed", version(1));
      const fd = await world.posix.open(path);
      await world.put("noticed", version(2));
      equal(await readAt(world, fd, LATER), ERRNO.ESTALE);
      deepEqual(await Deno.readFile(path), version(2));
      await world.posix.done("close", fd);
    },
  ),
  sentence(
    "A deleted object is ENOENT to the next open and ESTALE to those who have it open.",
    async (world) => {
      const path = `${world.strict.path}/store/deleted`;
      await world.put("deleted", version(1));
      const fd = await world.posix.open(path);
      await world.delete("deleted");
      await rejects(Deno.open(path), Deno.errors.NotFound);
      equal(await readAt(world, fd, LATER), ERRNO.ESTALE);
      await world.posix.done("close", fd);
    },
  ),
  sentence("A path keeps its inode number through all versions and remounts.", async (world) => {
    await world.put("numbered", version(1));
    const first = await Deno.stat(`${world.strict.path}/store/numbered`);
    await world.put("numbered", version(2).slice(0, 5));
    const second = await Deno.stat(`${world.strict.path}/store/numbered`);
    const elsewhere = await Deno.stat(`${world.usual.path}/store/numbered`);
    equal(second.size, 5);
    equal(first.ino, second.ino);
    equal(first.ino, elsewhere.ino);
  }),
];

/** What an hour of real time would show. */
async function onlyAfterStaleTtl(): Promise<void> {
  const fixture = new FileSystemFixture();
  fixture.seed("a");
  const directory = await fixture.find("data");
  await fixture.names(directory.node);
  const old = await fixture.find("data/a");
  fixture.seed("a");
  await fixture.clock.advance(SETTINGS.staleTtlMs - 1);
  const last = await fixture.find("data/a");
  equal(last.node, old.node);
  equal(last.entryValidMs, 1);
  await fixture.clock.advance(1);
  notEqual((await fixture.find("data/a")).node, old.node);
}
