/** A real mount is read-only, and links do not lead out of it. */
import { deepEqual, equal } from "node:assert/strict";
import { ERRNO } from "../cache/platform/errno.ts";
import { OPEN_FLAGS } from "../cache/platform/open_flags.ts";
import { mountTest } from "./support/mounted.ts";
import { Posix } from "./support/posix.ts";
import type { PosixArgument, PosixCall } from "./support/posix_symbols.ts";

const AT_FDCWD = -100;
const S_IFREG = 0o100000;
const FS_IOC_GETFLAGS = 0x80086601;

async function fill(source: string): Promise<void> {
  await Deno.mkdir(`${source}/directory/inner`, { recursive: true });
  await Deno.writeTextFile(`${source}/file`, "content");
  await Deno.writeTextFile(`${source}/directory/file`, "inner content");
  const links = {
    "to-file": "file",
    "to-directory": "directory/inner/..",
    "directory/up": "../file",
    "chain": "to-file",
    "dangling": "nothing/there",
    "loop": "loop",
    "absolute": "/etc/passwd",
    "climbing": "../../../../../../../../etc/passwd",
    "sideways": "../source/file",
    "directory/inner/out": "../../..",
  };
  for (const [name, target] of Object.entries(links)) {
    await Deno.symlink(target, `${source}/${name}`);
  }
}

mountTest("Links of a local directory", { fill }, async ({ data }, step) => {
  using posix = new Posix();
  const open = (name: string) => posix.call("open", `${data}/${name}`, OPEN_FLAGS.RDONLY, 0);
  for (const name of ["to-file", "chain", "directory/up", "to-directory/../file"]) {
    await step(`lead to the file where they stay inside: ${name}`, async () => {
      equal(await Deno.readTextFile(`${data}/${name}`), "content");
    });
  }
  await step("lead into directories", async () => {
    equal(await Deno.readTextFile(`${data}/to-directory/file`), "inner content");
  });
  await step("are shown as links with their target and its length", async () => {
    const { type, sizeBytes } = await posix.status(`${data}/to-directory`);
    deepEqual([type, sizeBytes], ["symlink", "directory/inner/..".length]);
    equal(await Deno.readLink(`${data}/to-directory`), "directory/inner/..");
    equal(await Deno.readLink(`${data}/dangling`), "nothing/there");
  });
  await step("that dangle or go in circles say so", async () => {
    equal(await open("dangling"), -ERRNO.ENOENT);
    equal(await open("loop"), -ERRNO.ELOOP);
  });
  for (const name of ["absolute", "climbing", "sideways", "directory/inner/out"]) {
    await step(`do not lead out of the root: ${name}`, async () => {
      equal(await open(name), -ERRNO.EACCES);
      const readlink = await posix.call("readlink", `${data}/${name}`, new Uint8Array(99), 99);
      equal(readlink, -ERRNO.EACCES);
      equal((await posix.status(`${data}/${name}`)).type, "symlink");
    });
  }
});

/** Calls that would change `data`. */
function changes(data: string): readonly (readonly [PosixCall, ...PosixArgument[]])[] {
  const file = `${data}/file`;
  const fresh = `${data}/fresh`;
  const { WRONLY, RDWR, CREAT, TRUNC, APPEND, RDONLY } = OPEN_FLAGS;
  return [
    ["open", file, WRONLY, 0],
    ["open", file, RDWR, 0],
    ["open", file, WRONLY | APPEND, 0],
    ["open", file, RDONLY | TRUNC, 0],
    ["open", fresh, WRONLY | CREAT, 0o644],
    ["access", file, 2],
    ["mkdir", fresh, 0o755],
    ["mknod", fresh, S_IFREG | 0o644, 0],
    ["symlink", "file", fresh],
    ["link", file, fresh],
    ["rename", file, fresh],
    ["unlink", file],
    ["rmdir", `${data}/directory`],
    ["chmod", file, 0o777],
    ["chown", file, 1, 1],
    ["truncate", file, 0],
    ["utimensat", AT_FDCWD, file, 0, 0],
    ["setxattr", file, "user.mine", "value", 5, 0],
    ["removexattr", file, "user.warpdrive.key"],
  ];
}

mountTest("A mount", { fill }, async ({ data, path, place }, step) => {
  using posix = new Posix();
  for (const directory of [data, path]) {
    for (const [call, ...args] of changes(directory)) {
      // The root has no file to change.
      if (directory === path && args.includes(`${path}/file`)) continue;
      if (call === "rmdir" && directory === path) continue;
      const written = args.map((value) => String(value).replace(directory, "…")).join(", ");
      const where = directory === path ? "in its root" : "in a backend";
      await step(`refuses ${call}(${written}) ${where} as read-only`, async () => {
        equal(await posix.call(call, ...args), -ERRNO.EROFS);
      });
    }
  }
  await step("has no attribute flags to ask for", async () => {
    const fd = await posix.open(`${data}/file`);
    const result = await posix.call("ioctl", fd, FS_IOC_GETFLAGS, new Uint8Array(8));
    equal(result, -ERRNO.ENOTTY);
    await posix.done("close", fd);
  });
  await step("has left its source as it was", async () => {
    equal(await Deno.readTextFile(`${place.source}/file`), "content");
    equal((await Deno.lstat(`${place.source}/directory`)).isDirectory, true);
  });
});
