import { deepEqual, equal } from "node:assert/strict";
import { ERRNO } from "../../cache/platform/errno.ts";
import { LATER, readAt, type Sentence, sentence, version } from "./world.ts";

export const LOCAL_FILES: readonly Sentence[] = [
  sentence(
    "A local file that the kernel reads itself shows every change at once.",
    async (world) => {
      await Deno.writeTextFile(`${world.source}/changing`, "before");
      const fd = await world.posix.open(`${world.usual.path}/files/changing`);
      await Deno.writeTextFile(`${world.source}/changing`, "change");
      deepEqual(await readAt(world, fd, 0), new TextEncoder().encode("change"));
      await world.posix.done("close", fd);
    },
    "passthrough",
  ),
  sentence(
    "A local file that the daemon reads is ESTALE once it has changed since it was opened.",
    async (world) => {
      await Deno.writeFile(`${world.source}/rewritten`, version(1));
      const fd = await world.posix.open(`${world.strict.path}/files/rewritten`);
      deepEqual(await readAt(world, fd, 0), version(1).slice(0, 4096));
      await Deno.writeFile(`${world.source}/rewritten`, version(2));
      equal(await readAt(world, fd, LATER), ERRNO.ESTALE);
      await world.posix.done("close", fd);
    },
  ),
  sentence(
    "Local files show their own owner, mode, times, links and blocks.",
    async ({ posix, source, usual }) => {
      await Deno.writeTextFile(`${source}/own`, "its own");
      await Deno.chmod(`${source}/own`, 0o640);
      await Deno.link(`${source}/own`, `${source}/own-too`);
      const facts = async (path: string) => {
        const { inode: _i, deviceMajor: _a, deviceMinor: _b, ...rest } = await posix.status(path);
        return rest;
      };
      deepEqual(await facts(`${usual.path}/files/own`), await facts(`${source}/own`));
    },
  ),
  sentence(
    "Symbolic links are links; one that leads out of its backend is EACCES.",
    async ({ posix, source, usual }) => {
      await Deno.writeTextFile(`${source}/target`, "linked");
      await Deno.symlink("target", `${source}/inside`);
      await Deno.symlink("../config.yaml", `${source}/outside`);
      equal(await Deno.readLink(`${usual.path}/files/inside`), "target");
      equal(await Deno.readTextFile(`${usual.path}/files/inside`), "linked");
      const opened = await posix.call("open", `${usual.path}/files/outside`, 0, 0);
      equal(opened, -ERRNO.EACCES);
    },
  ),
  sentence("Pipes, sockets and devices are not shown.", async ({ posix, source, usual }) => {
    await Deno.mkdir(`${source}/special`);
    await Deno.writeTextFile(`${source}/special/file`, "");
    const fifo = 0o010644;
    await posix.done("mknod", `${source}/special/pipe`, fifo, 0);
    const names = await Array.fromAsync(Deno.readDir(`${usual.path}/files/special`));
    deepEqual(names.map(({ name }) => name), ["file"]);
    equal(await posix.call("access", `${usual.path}/files/special/pipe`, 0), -ERRNO.ENOENT);
  }),
];
