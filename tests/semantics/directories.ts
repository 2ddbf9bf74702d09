import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { ERRNO } from "../../cache/platform/errno.ts";
import { succeed } from "../support/command.ts";
import { FileSystemFixture, SETTINGS } from "../support/file_system.ts";
import type { Mounted } from "../support/mounted.ts";
import type { Posix } from "../support/posix.ts";
import { namesIn, type Sentence, sentence, version } from "./world.ts";

const BYTES = version(1).slice(0, 9);

/** Names that are left in an open directory. */
async function restOf(posix: Posix, directory: number): Promise<string[]> {
  const names: string[] = [];
  for (;;) {
    const read = await posix.nextName(directory);
    if (read === null) return names;
    names.push(read.name);
  }
}

/** Requests of one kind that the store behind `store` was sent. */
async function requests(mounted: Mounted, operation: "list" | "stat"): Promise<number> {
  const name = "warpdrive_backend_request_duration_seconds_count";
  const metrics = await mounted.metrics();
  return metrics.get(`${name}{backend="store",operation="${operation}"}`) ?? 0;
}

export const DIRECTORIES: readonly Sentence[] = [
  sentence("Names are bytes, 255 at most; longer ones are ENAMETOOLONG.", async (world) => {
    const { posix, source, usual } = world;
    const odd = new Uint8Array([0x66, 0xff, 0xfe]); // not UTF-8
    const encoder = new TextEncoder();
    const below = (directory: string) =>
      new Uint8Array([...encoder.encode(`${directory}/`), ...odd]);
    await posix.done("mknod", new Uint8Array([...below(source), 0]), 0o100644, 0);
    equal((await posix.status(below(`${usual.path}/files`))).type, "file");
    await world.put("n".repeat(255), BYTES);
    equal((await Deno.stat(`${usual.path}/store/${"n".repeat(255)}`)).size, 9);
    const longer = await posix.call("access", `${usual.path}/store/${"n".repeat(256)}`, 0);
    equal(longer, -ERRNO.ENAMETOOLONG);
  }),
  sentence(
    "Keys with an empty, `.` or `..` segment or one above 255 bytes are not shown.",
    async (world) => {
      for (const key of ["odd/plain", "odd//empty", `odd/${"n".repeat(256)}`]) {
        await world.put(key, BYTES);
      }
      deepEqual(await namesIn(`${world.usual.path}/store/odd`), ["plain"]);
      // The client library of the store cannot write these.
      const fixture = new FileSystemFixture();
      fixture.seed("a", "./b", "../c", ".", "..");
      const { node } = await fixture.find("data");
      deepEqual(await fixture.names(node), ["a"]);
    },
  ),
  sentence("A directory hides an object of the same name.", async (world) => {
    await world.put("both", BYTES);
    await world.put("both/below", BYTES);
    equal((await Deno.stat(`${world.usual.path}/store/both`)).isDirectory, true);
    const all = await Array.fromAsync(Deno.readDir(`${world.strict.path}/store`));
    const shown = all.filter(({ name }) => name === "both");
    deepEqual(shown.map(({ isDirectory }) => isDirectory), [true]);
  }),
  sentence("A directory of a store exists as long as a key lies below it.", async (world) => {
    const path = `${world.strict.path}/store/passing`;
    await rejects(Deno.stat(path), Deno.errors.NotFound);
    await world.put("passing/object", BYTES);
    equal((await Deno.stat(path)).isDirectory, true);
    await world.delete("passing/object");
    await rejects(Deno.stat(path), Deno.errors.NotFound);
  }),
  sentence(
    "An open directory shows each name once, and for certain those that were always there.",
    async (world) => {
      const { posix, strict } = world;
      const lasting = ["b", "d", "f", "h"];
      for (const name of [...lasting, "e"]) await world.put(`open/${name}`, BYTES);
      const directory = await posix.done("opendir", `${strict.path}/store/open`);
      const first = [await posix.nextName(directory), await posix.nextName(directory)];
      await world.put("open/a", BYTES);
      await world.put("open/g", BYTES);
      await world.delete("open/e");
      const names = [...first.map((read) => read?.name ?? ""), ...await restOf(posix, directory)];
      await posix.done("closedir", directory);
      equal(new Set(names).size, names.length);
      for (const name of lasting) ok(names.includes(name), `${name} is not in ${names}`);
      deepEqual(await namesIn(`${strict.path}/store/open`), ["a", "b", "d", "f", "g", "h"]);
    },
  ),
  sentence(
    "telldir and seekdir come back to the same name while the directory is open.",
    async (world) => {
      const { posix, strict } = world;
      for (const name of ["a", "b", "c"]) await world.put(`sought/${name}`, BYTES);
      const directory = await posix.done("opendir", `${strict.path}/store/sought`);
      await restOf(posix, directory);
      await posix.call("seekdir", directory, 0);
      await posix.nextName(directory);
      const read = await posix.nextName(directory);
      const rest = await restOf(posix, directory);
      await world.put("sought/aa", BYTES);
      await posix.call("seekdir", directory, read?.after ?? 0);
      deepEqual(await restOf(posix, directory), rest);
      await posix.done("closedir", directory);
    },
  ),
  sentence(
    "Listing a directory with all attributes costs the pages of its listing and nothing more.",
    async (world) => {
      const { usual } = world;
      const keys = Array.from({ length: 40 }, (_, index) => `crowd/${index}`);
      await Promise.all(keys.map((key) => world.put(key, BYTES)));
      const path = `${usual.path}/store/crowd`;
      await Deno.stat(path);
      const [lists, stats] = [await requests(usual, "list"), await requests(usual, "stat")];
      const lines = (await succeed("ls", "-l", path)).trim().split("\n");
      equal(lines.length, 41);
      equal(await requests(usual, "list"), lists + 1);
      equal(await requests(usual, "stat"), stats);
    },
  ),
  sentence(
    "A name that was missing may be missing for `negative_timeout` more.",
    async () => {
      const fixture = new FileSystemFixture();
      const { node } = await fixture.find("data");
      const reply = await fixture.lookup(node, "late");
      deepEqual(reply, { kind: "absent", validMs: SETTINGS.negativeMs });
      equal(SETTINGS.negativeMs, 5_000);
      fixture.seed("late");
      equal((await fixture.lookup(node, "late")).kind, "entry"); // the kernel asks after that time
    },
  ),
  sentence(
    "Backends appear at their mount paths, at any depth, and hide what lies there.",
    async (world) => {
      const { usual } = world;
      await world.put("nested/deep/hidden", BYTES);
      await world.put("nested/shown", BYTES);
      deepEqual(await namesIn(usual.path), ["failing", "files", "store"]);
      deepEqual(await namesIn(`${usual.path}/store/nested`), ["deep", "shown"]);
      deepEqual(await namesIn(`${usual.path}/store/nested/deep`), ["inner"]);
      equal(await Deno.readTextFile(`${usual.path}/store/nested/deep/inner`), "inner");
    },
  ),
];
