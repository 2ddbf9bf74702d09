import { deepEqual, equal, ok } from "node:assert/strict";
import { ERRNO } from "../../cache/platform/errno.ts";
import { MAP, SEEK } from "../support/posix.ts";
import { type Sentence, sentence, version } from "./world.ts";

const NOBODY = 65_534;

export const OBJECTS: readonly Sentence[] = [
  sentence(
    "Objects belong to the mounting user and have mode 0444, directories 0555.",
    async (world) => {
      await world.put("owned/object", version(1).slice(0, 9));
      const directory = await world.posix.status(`${world.usual.path}/store/owned`);
      const object = await world.posix.status(`${world.usual.path}/store/owned/object`);
      deepEqual([directory.type, directory.permissions], ["directory", 0o555]);
      deepEqual([object.type, object.permissions], ["file", 0o444]);
      for (const { uid, gid } of [directory, object]) {
        deepEqual([uid, gid], [Deno.uid(), Deno.gid()]);
      }
    },
  ),
  sentence(
    "All three times of an object are when it was last modified.",
    async (world) => {
      await world.put("dated", version(1).slice(0, 9));
      const { lastModified } = await world.container.getBlobClient("dated").getProperties();
      const { accessed, modified, changed } = await world.posix.status(
        `${world.usual.path}/store/dated`,
      );
      for (const { seconds } of [accessed, modified, changed]) {
        equal(seconds * 1_000, lastModified?.getTime());
      }
    },
  ),
  sentence("An object takes as many blocks of 512 bytes as its size needs.", async (world) => {
    for (const [size, blocks] of [[0, 0], [1, 1], [512, 1], [513, 2]] as const) {
      await world.put(`sized-${size}`, version(1).slice(0, size));
      const status = await world.posix.status(`${world.usual.path}/store/sized-${size}`);
      deepEqual([status.sizeBytes, status.blocks], [size, blocks]);
    }
  }),
  sentence(
    "A directory of a store has two links, no size, and the time of the mount.",
    async (world) => {
      await world.put("plain/object", version(1).slice(0, 9));
      const { links, sizeBytes, modified } = await world.posix.status(
        `${world.usual.path}/store/plain`,
      );
      const root = await world.posix.status(world.usual.path);
      deepEqual([links, sizeBytes, modified], [2, 0, root.modified]);
    },
  ),
  sentence("An object is all data; its only hole is at its end.", async (world) => {
    const { posix, usual } = world;
    await world.put("seeked", new Uint8Array(100_000));
    const fd = await posix.open(`${usual.path}/store/seeked`);
    equal(await posix.done("lseek", fd, 70_000, SEEK.DATA), 70_000);
    equal(await posix.done("lseek", fd, 0, SEEK.HOLE), 100_000);
    equal(await posix.call("lseek", fd, 100_000, SEEK.DATA), -ERRNO.ENXIO);
    await posix.done("close", fd);
  }),
  sentence(
    "`user.warpdrive.backend`, `key`, `version` and `etag` tell where an object comes from.",
    async (world) => {
      await world.put("attributed/object", version(1).slice(0, 9));
      const { etag } = await world.container.getBlobClient("attributed/object").getProperties();
      const path = `${world.usual.path}/store/attributed/object`;
      const get = (name: string) => world.posix.attribute(path, `user.warpdrive.${name}`);
      equal(await get("backend"), "store");
      equal(await get("key"), "attributed/object");
      equal(await get("etag"), etag?.replaceAll('"', ""));
      ok(String(await get("version")).length > 0);
    },
  ),
  sentence(
    "Any other extended attribute is ENODATA, and none are listed.",
    async (world) => {
      await world.put("bare", version(1).slice(0, 9));
      const path = `${world.usual.path}/store/bare`;
      for (const name of ["user.warpdrive.other", "user.mime_type", "security.capability"]) {
        equal(await world.posix.attribute(path, name), -ERRNO.ENODATA);
      }
      equal(await world.posix.done("listxattr", path, new Uint8Array(256), 256), 0);
    },
  ),
  sentence("Files can be mapped into memory, shared and private.", async (world) => {
    await world.put("mapped", version(1));
    const fd = await world.posix.open(`${world.usual.path}/store/mapped`);
    for (const flags of [MAP.SHARED, MAP.PRIVATE]) {
      deepEqual(await world.posix.readMapped(fd, version(1).length, flags), version(1));
    }
    await world.posix.done("close", fd);
  }),
  sentence(
    "The kernel enforces permission bits for every user.",
    async ({ source, usual }) => {
      await Deno.writeTextFile(`${source}/private`, "mine", { mode: 0o600 });
      await Deno.writeTextFile(`${source}/public`, "ours", { mode: 0o644 });
      equal(await Deno.readTextFile(`${usual.path}/files/private`), "mine");
      const asNobody = async (name: string) => {
        // The directory of the test belongs to root alone, so the mount is entered from inside.
        const cwd = `${usual.path}/files`;
        const options = { args: [name], cwd, uid: NOBODY, gid: NOBODY };
        const { stdout, stderr } = await new Deno.Command("cat", options).output();
        return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
      };
      equal(await asNobody("public"), "ours");
      ok((await asNobody("private")).includes("Permission denied"));
    },
    "root",
  ),
];
