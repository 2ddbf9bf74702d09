/** What stat, statfs and getxattr say on a real mount, and whom permission bits keep out. */
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { ERRNO } from "../cache/platform/errno.ts";
import { run, succeed } from "./support/command.ts";
import { Mounted, mountTest } from "./support/mounted.ts";
import { createPlace } from "./support/place.ts";
import { Posix } from "./support/posix.ts";

const FUSE_SUPER_MAGIC = 0x65735546n;
/** `nobody` of every Linux: a user without any right of its own. */
const NOBODY = ["--reuid=65534", "--regid=65534", "--clear-groups"];
/** Owner and times differ from what a new file would get. */
const STAMP = "2020-02-29T12:34:56.123456789Z";
const STAMP_SECONDS = Date.parse("2020-02-29T12:34:56Z") / 1_000;

async function fill(source: string): Promise<void> {
  await Deno.mkdir(`${source}/directory/inner`, { recursive: true });
  await Deno.writeTextFile(`${source}/file`, "twelve bytes");
  await Deno.link(`${source}/file`, `${source}/directory/linked`);
  await Deno.writeFile(`${source}/large`, new Uint8Array(3 << 20));
  await succeed("truncate", "--size=1G", `${source}/sparse`);
  await Deno.chmod(`${source}/file`, 0o640);
  await succeed("touch", "-d", STAMP, `${source}/file`, `${source}/directory`);
}

mountTest("Attributes of local files", { fill }, async ({ data, path, place }, step) => {
  using posix = new Posix();
  const names = ["file", "directory", "directory/inner", "directory/linked", "large", "sparse"];
  await step("are those of the files themselves", async () => {
    for (const name of names) {
      const { type, permissions, links, uid, gid, blocks, modified, changed } = await posix.status(
        `${place.source}/${name}`,
      );
      const shown = await posix.status(`${data}/${name}`);
      deepEqual(
        { ...shown, inode: 0, deviceMajor: 0, deviceMinor: 0, sizeBytes: 0, accessed: null },
        {
          ...{ type, permissions, links, uid, gid, blocks, modified, changed },
          ...{ inode: 0, deviceMajor: 0, deviceMinor: 0, sizeBytes: 0, accessed: null },
        },
        name,
      );
    }
  });
  await step("have the size of the file and times to the nanosecond", async () => {
    const { sizeBytes, modified, permissions, links } = await posix.status(`${data}/file`);
    deepEqual([sizeBytes, permissions, links], [12, 0o640, 2]);
    deepEqual(modified, { seconds: STAMP_SECONDS, nanoseconds: 123_456_789 });
  });
  await step("make du add up what the disk holds", async () => {
    const [source = "", shown] = await Promise.all([place.source, data].map(async (directory) => {
      const du = 'cd "$1" && du --all --block-size=1';
      const lines = await succeed("sh", "-c", du, "sh", directory);
      // A directory of the mount takes no room itself.
      return lines.split("\n").filter((line) => /file|large|sparse/.test(line)).sort().join("\n");
    }));
    match(source, /large/);
    equal(shown, source);
  });
  await step("of statfs tell a read-only file system with names of 255 bytes", async () => {
    const words = await posix.fileSystemStatus(data);
    const [type, , , free, available] = words;
    deepEqual([type, free, available], [FUSE_SUPER_MAGIC, 0n, 0n]);
    const [nameLength = 0n, , flags = 0n] = words.slice(8);
    equal(nameLength, 255n);
    // ST_RDONLY, ST_NOSUID, ST_NODEV of statfs(2).
    equal(flags & 7n, 7n);
  });
  await step("are extended by where an object comes from", async () => {
    const get = (name: string) => posix.attribute(`${data}/directory/linked`, name);
    equal(await get("user.warpdrive.backend"), "data");
    equal(await get("user.warpdrive.key"), "directory/linked");
    const version = await get("user.warpdrive.version");
    ok(typeof version === "string" && version !== "", String(version));
    equal(await get("user.warpdrive.etag"), version);
    notEqual(await posix.attribute(`${data}/large`, "user.warpdrive.version"), version);
  });
  await step("have no others, and none are listed", async () => {
    const unknown = ["user.warpdrive.nothing", "user.other", "security.capability", "trusted.x"];
    for (const name of unknown) equal(await posix.attribute(`${data}/file`, name), -ERRNO.ENODATA);
    equal(await posix.attribute(path, "user.warpdrive.backend"), -ERRNO.ENODATA);
    for (const listed of [path, data, `${data}/file`]) {
      equal(await posix.call("listxattr", listed, new Uint8Array(256), 256), 0);
      equal(await posix.call("listxattr", listed, null, 0), 0);
    }
  });
  await step("say how much room a value needs", async () => {
    const name = "user.warpdrive.backend";
    equal(await posix.call("getxattr", `${data}/file`, name, null, 0), 4);
    equal(await posix.call("getxattr", `${data}/file`, name, new Uint8Array(3), 3), -ERRNO.ERANGE);
  });
});

Deno.test("Inode numbers differ between files and are the same after a remount", async () => {
  await using place = await createPlace();
  await fill(place.source);
  using posix = new Posix();
  const seen: (readonly bigint[])[] = [];
  for (let round = 0; round < 2; round += 1) {
    await using mounted = await Mounted.start(place, {});
    const paths = ["", "/data", "/data/file", "/data/large", "/data/directory"];
    // The other way round the second time: numbers must not follow the order of lookups.
    if (round === 1) paths.reverse();
    const inodes: bigint[] = [];
    for (const path of paths) inodes.push((await posix.status(mounted.path + path)).inode);
    seen.push(round === 1 ? inodes.reverse() : inodes);
  }
  deepEqual(seen[0], seen[1]);
  equal(new Set(seen[0]).size, 5);
});

async function fillPermissions(source: string): Promise<void> {
  for (const [name, mode] of [["all", 0o644], ["owner", 0o600], ["program", 0o744]] as const) {
    await Deno.writeTextFile(`${source}/${name}`, "#!/bin/sh\necho read\n");
    await Deno.chmod(`${source}/${name}`, mode);
  }
  await Deno.mkdir(`${source}/closed`, { mode: 0o700 });
  await Deno.writeTextFile(`${source}/closed/all`, "");
}

mountTest("Permission bits", { fill: fillPermissions }, async ({ data }, step) => {
  const asNobody = (...command: string[]) =>
    // Until it runs another program setpriv has the rights of root, and sh is one more.
    run("setpriv", ...NOBODY, "--", "sh", "-c", 'exec "$@"', "sh", ...command);
  await step("let another user read what all may read", async () => {
    const { code, stderr } = await asNobody("cat", `${data}/all`);
    deepEqual([code, stderr], [0, ""]);
  }, "as root");
  const refused = [
    ["reading what only its owner may read", "cat", `${data}/owner`],
    ["running what only its owner may run", `${data}/program`],
    ["listing a closed directory", "ls", `${data}/closed`],
    ["reaching through a closed directory", "cat", `${data}/closed/all`],
  ] as const;
  for (const [what, ...command] of refused) {
    await step(`keep another user from ${what}`, async () => {
      const { code, stderr } = await asNobody(...command);
      notEqual(code, 0);
      match(stderr, /Permission denied/);
    }, "as root");
  }
});

const PRIVATE = {
  allow_other: false,
  owner: { uid: 1234, gid: 5678, dir_mode: "0511" },
};

mountTest("A mount without allow_other", { config: PRIVATE }, async ({ path }, step) => {
  using posix = new Posix();
  await step("lets its user in, and nobody else", async () => {
    await Deno.stat(`${path}/data`);
    const { code, stderr } = await run("setpriv", ...NOBODY, "--", "ls", path);
    notEqual(code, 0);
    match(stderr, /Permission denied/);
  }, "as root");
  await step("shows its own directories with the configured owner and mode", async () => {
    const { uid, gid, permissions, links, type } = await posix.status(path);
    deepEqual([uid, gid, permissions, type], [1234, 5678, 0o511, "directory"]);
    ok(links >= 2);
  });
});
