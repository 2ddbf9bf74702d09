/** Several backends as one tree on a real mount. */
import { deepEqual, equal } from "node:assert/strict";
import { ERRNO } from "../cache/platform/errno.ts";
import { Mounted } from "./support/mounted.ts";
import { createPlace } from "./support/place.ts";
import { Posix } from "./support/posix.ts";

async function list(path: string): Promise<readonly string[]> {
  return (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name).sort();
}

Deno.test("Backends appear at any depth, the longest mount path wins", async () => {
  await using place = await createPlace();
  const backends = [];
  for (const [name, mountPath] of [["top", "a"], ["nested", "a/b/c"], ["apart", "/x/y/"]]) {
    const root = `${place.source}/${name}`;
    await Deno.mkdir(`${root}/own`, { recursive: true });
    await Deno.writeTextFile(`${root}/name`, `${name}`);
    backends.push({ name, type: "local", mount_path: mountPath, config: { root } });
  }
  // What lies under a mount path is not to be seen.
  await Deno.mkdir(`${place.source}/top/b/c`, { recursive: true });
  await Deno.writeTextFile(`${place.source}/top/b/c/hidden`, "");
  await Deno.writeTextFile(`${place.source}/top/b/beside`, "beside");
  await using mounted = await Mounted.start(place, { config: { backends } });
  const { path } = mounted;
  deepEqual(await list(path), ["a", "x"]);
  deepEqual(await list(`${path}/a`), ["b", "name", "own"]);
  deepEqual(await list(`${path}/a/b`), ["beside", "c"]);
  deepEqual(await list(`${path}/a/b/c`), ["name", "own"]);
  deepEqual(await list(`${path}/x`), ["y"]);
  deepEqual(await list(`${path}/x/y`), ["name", "own"]);
  equal(await Deno.readTextFile(`${path}/a/name`), "top");
  equal(await Deno.readTextFile(`${path}/a/b/beside`), "beside");
  equal(await Deno.readTextFile(`${path}/a/b/c/name`), "nested");
  equal(await Deno.readTextFile(`${path}/x/y/name`), "apart");
  using posix = new Posix();
  equal(await posix.call("access", `${path}/a/b/c/hidden`, 0), -ERRNO.ENOENT);
  equal(await posix.call("access", `${path}/x/name`, 0), -ERRNO.ENOENT);
  equal(await posix.attribute(`${path}/a/b/c/name`, "user.warpdrive.backend"), "nested");
  equal(await posix.attribute(`${path}/a/b/c/name`, "user.warpdrive.key"), "name");
});

Deno.test("Mount paths are there though no backend is", async () => {
  await using place = await createPlace();
  const backends = ["a", "a/b/c", "x/y"].map((mountPath, index) => ({
    name: `backend-${index}`,
    type: "local",
    mount_path: mountPath,
    config: { root: `${place.source}/nowhere-${index}` },
  }));
  await using mounted = await Mounted.start(place, { config: { backends } });
  const { path } = mounted;
  deepEqual(await list(path), ["a", "x"]);
  deepEqual(await list(`${path}/x`), ["y"]);
  for (const directory of ["a", "a/b", "a/b/c", "x/y"]) {
    equal((await Deno.stat(`${path}/${directory}`)).isDirectory, true, directory);
  }
  using posix = new Posix();
  // Not "no such file": nobody knows.
  equal(await posix.call("open", `${path}/x/y/file`, 0, 0), -ERRNO.EIO);
});
