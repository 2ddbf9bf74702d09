import { deepEqual, equal, ok } from "node:assert/strict";
import { ERRNO } from "../../cache/platform/errno.ts";
import { OPEN_FLAGS } from "../../cache/platform/open_flags.ts";
import { run, succeed } from "../support/command.ts";
import type { PosixArgument, PosixCall } from "../support/posix_symbols.ts";
import { type Sentence, sentence, version } from "./world.ts";

const { RDWR, WRONLY, CREAT, TRUNC } = OPEN_FLAGS;

export const READ_ONLY: readonly Sentence[] = [
  sentence("Every call that would change something is EROFS.", async ({ posix, source, usual }) => {
    await Deno.mkdir(`${source}/untouched`);
    await Deno.writeTextFile(`${source}/untouched/file`, "as it was");
    const directory = `${usual.path}/files/untouched`;
    const file = `${directory}/file`;
    const made = `${directory}/made`;
    const value = new Uint8Array(1);
    const calls: readonly (readonly [PosixCall, ...PosixArgument[]])[] = [
      ["open", file, WRONLY, 0],
      ["open", file, RDWR, 0],
      ["open", file, TRUNC, 0],
      ["open", made, CREAT | WRONLY, 0o644],
      ["truncate", file, 0],
      ["unlink", file],
      ["rmdir", directory],
      ["mkdir", made, 0o755],
      ["mknod", made, 0o100644, 0],
      ["rename", file, made],
      ["link", file, made],
      ["symlink", file, made],
      ["chmod", file, 0o777],
      ["chown", file, 1, 1],
      ["setxattr", file, "user.a", value, 1, 0],
      ["removexattr", file, "user.a"],
      ["access", file, 2],
    ];
    for (const [name, ...args] of calls) {
      equal(await posix.call(name, ...args), -ERRNO.EROFS, `${name} ${args}`);
    }
    equal(await Deno.readTextFile(`${source}/untouched/file`), "as it was");
  }),
  sentence(
    "The mount is read-only, and set-user-ID bits and device files mean nothing in it.",
    async ({ usual }) => {
      const options = (await succeed("findmnt", "-n", "-o", "OPTIONS", usual.path)).split(",");
      for (const option of ["ro", "nosuid", "nodev"]) ok(options.includes(option), option);
    },
  ),
  sentence("fsync succeeds: there is nothing to write.", async (world) => {
    await world.put("synced", version(1).slice(0, 9));
    await succeed("sync", `${world.usual.path}/store/synced`);
  }),
  sentence(
    "Locks are those of this machine's kernel; no other machine sees them.",
    async (world) => {
      await world.put("locked", version(1).slice(0, 9));
      const here = `${world.usual.path}/store/locked`;
      // The second mount stands for another machine: it shows the same object.
      const there = `${world.strict.path}/store/locked`;
      const whileLocked = (path: string) => run("flock", "-n", here, "flock", "-n", path, "true");
      equal((await whileLocked(here)).code, 1);
      equal((await whileLocked(there)).code, 0);
    },
  ),
  sentence(
    "statfs shows no free space and names of up to 255 bytes.",
    async ({ posix, usual }) => {
      // f_bfree, f_bavail and f_namelen of struct statfs.
      const words = await posix.fileSystemStatus(usual.path);
      deepEqual([words[3], words[4], words[8]], [0n, 0n, 255n]);
    },
  ),
];
