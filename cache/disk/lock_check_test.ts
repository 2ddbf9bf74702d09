import { equal, match } from "node:assert/strict";
import { Libc } from "../platform/libc.ts";
import { CacheDirectory } from "./cache_directory.ts";
import { checkLock, lookAtLock } from "./lock_check.ts";

const libc = Libc.open();

/** Runs `test` in a directory of its own. */
async function inDirectory(test: (directory: string) => Promise<void> | void): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await test(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("the check of the lock names the mount that has the cache, and leaves it", async () => {
  await inDirectory((directory) => {
    const path = `${directory}/cache`;
    const find = (mountPoint: string) => checkLock(lookAtLock(path, libc), mountPoint);
    match(find("/mnt/data").detail, /^free/);
    const holder = { pid: 4711, mountPoint: "/mnt/data", sinceMs: 0 };
    {
      using _held = CacheDirectory.open(path, holder, libc);
      const own = find("/mnt/data");
      equal(own.state, "ok");
      match(own.detail, /process 4711 uses it for "\/mnt\/data" since 1970-01-01T00:00:00.000Z/);
      const other = find("/mnt/other");
      equal(`${other.state} ${other.detail}`, `fail ${own.detail}`);
    }
    match(find("/mnt/data").detail, /^free/);
    using _again = CacheDirectory.open(path, holder, libc);
  });
});

Deno.test("the check of the lock does not call free what it may not look at", async () => {
  const hidden = checkLock({ kind: "hidden", reason: "EACCES" }, "/mnt");
  equal(`${hidden.state} ${hidden.detail}`, "skipped it cannot be looked at: EACCES");
  await inDirectory(async (directory) => {
    await Deno.symlink("elsewhere", `${directory}/LOCK`);
    equal(lookAtLock(directory, libc).kind, "hidden");
  });
});
