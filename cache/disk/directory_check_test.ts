import { deepEqual, equal, match } from "node:assert/strict";
import { fakeHost } from "../../tests/support/fake_host.ts";
import { findCachePlace, lookAtPath } from "./cache_place.ts";
import { type CacheDirectoryFacts, lookAtCacheDirectory } from "./directory_check.ts";

/** A machine with one disk of `type`, where only `/nvme` exists. */
function factsOf(type: string, writable = true): CacheDirectoryFacts {
  return {
    host: fakeHost({ "/proc/self/mountinfo": `36 35 0:50 / / rw - ${type} /dev/x rw\n` }),
    look: (path) => Promise.resolve(path === "/nvme" ? "directory" : null),
    writable: () => Promise.resolve(writable),
  };
}

async function find(path: string, facts: CacheDirectoryFacts) {
  return (await lookAtCacheDirectory(path, facts)).finding;
}

Deno.test("the check of the cache directory looks where it would be created", async () => {
  const { state, detail } = await find("/nvme/wd/cache", factsOf("ext4"));
  equal(`${state} ${detail}`, 'ok "/nvme/wd/cache" will be created, on ext4');
  const refused = await find("/nvme/wd/cache", factsOf("ext4", false));
  equal(refused.state, "fail");
  match(refused.detail, /may not write to "\/nvme"/);
});

Deno.test("the check of the cache directory warns about disks that are none", async () => {
  for (const type of ["nfs4", "fuse.s3fs", "tmpfs", "overlay"]) {
    equal((await find("/nvme", factsOf(type))).state, "warn", type);
  }
  for (const type of ["ext4", "xfs", "btrfs", "fuseblk", "zfs"]) {
    equal((await find("/nvme", factsOf(type))).state, "ok", type);
  }
});

Deno.test("the check of the cache directory refuses the file systems of the kernel", async () => {
  for (const type of ["proc", "sysfs", "cgroup2", "debugfs"]) {
    equal((await find("/nvme", factsOf(type))).state, "fail", type);
  }
});

Deno.test("the check of the cache directory refuses a file, at the path or above it", async () => {
  const facts: CacheDirectoryFacts = {
    ...factsOf("ext4"),
    look: (path) => Promise.resolve(path === "/nvme" ? "other" : null),
  };
  equal((await find("/nvme", facts)).detail, '"/nvme" is no directory');
  const { detail } = await find("/nvme/a/b", facts);
  equal(detail, '"/nvme/a/b" cannot be created: "/nvme" is no directory');
});

Deno.test("the check of the cache directory names the path of a disk that fails", async () => {
  const look = () => Promise.reject(new Error("Input/output error"));
  const { state, detail } = await find("/nvme", { ...factsOf("ext4"), look });
  equal(`${state} ${detail}`, 'fail "/nvme" cannot be looked at: Input/output error');
});

Deno.test("findCachePlace climbs to what is there, over files and links to nothing", async () => {
  const directory = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${directory}/file`, "x");
    await Deno.symlink("nowhere", `${directory}/link`);
    const find = (path: string) => findCachePlace(`${directory}${path}`, lookAtPath);
    const possible = { kind: "possible", existing: directory };
    deepEqual([await find(""), await find("/a/b")], [possible, possible]);
    for (const name of ["file", "link"]) {
      const blocked = { kind: "blocked", by: `${directory}/${name}` };
      deepEqual([await find(`/${name}`), await find(`/${name}/a`)], [blocked, blocked]);
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
