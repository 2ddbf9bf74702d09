import { deepEqual, equal, match, ok, rejects, throws } from "node:assert/strict";
import { cannotMount, smallDisk } from "../../tests/support/test_disk.ts";
import { CacheDirectory, type CacheHolder, idOfName } from "./cache_directory.ts";
import { Libc } from "../platform/libc.ts";

const libc = Libc.open();
const never = new AbortController().signal;
const HOLDER: CacheHolder = { pid: 4_711, mountPoint: "/wd", sinceMs: 1_700_000_000_000 };

async function place() {
  const root = await Deno.makeTempDir({ prefix: "warpdrive-cache-" });
  return {
    path: `${root}/deep/cache`,
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

Deno.test("CacheDirectory makes what is missing, for its own user only", async () => {
  await using at = await place();
  using directory = CacheDirectory.open(at.path, HOLDER, libc);
  for (const path of [at.path, `${at.path}/data`, directory.dataDirectory(255)]) {
    equal((await Deno.stat(path)).mode, 0o40700, path);
  }
  equal((await Deno.stat(`${at.path}/LOCK`)).mode, 0o100600);
  equal([...Deno.readDirSync(`${at.path}/data`)].length, 256);
  ok((await directory.space()).freeBytes > 0);
  await directory.probe(never);
  deepEqual([...Deno.readDirSync(at.path)].map(({ name }) => name).sort(), ["LOCK", "data"]);
});

Deno.test("CacheDirectory leaves a directory that was there as it is", async () => {
  await using at = await place();
  await Deno.mkdir(at.path, { recursive: true, mode: 0o755 });
  await Deno.writeTextFile(`${at.path}/theirs`, "theirs");
  CacheDirectory.open(at.path, HOLDER, libc)[Symbol.dispose]();
  equal((await Deno.stat(at.path)).mode, 0o40755);
  equal(await Deno.readTextFile(`${at.path}/theirs`), "theirs");
});

Deno.test("CacheDirectory is for one process at a time, and says for which", async () => {
  await using at = await place();
  const first = CacheDirectory.open(at.path, HOLDER, libc);
  throws(() => CacheDirectory.open(at.path, { ...HOLDER, pid: 1 }, libc), {
    name: "CommandError",
    message: `Cannot use cache "${at.path}": ` +
      'process 4711 uses it for "/wd" since 2023-11-14T22:13:20.000Z',
    hint: "Unmount that one first, or give this mount a cache.path of its own",
  });
  first[Symbol.dispose]();
  CacheDirectory.open(at.path, { ...HOLDER, pid: 1 }, libc)[Symbol.dispose]();
  match(await Deno.readTextFile(`${at.path}/LOCK`), /"pid":1,/);
});

Deno.test("CacheDirectory is refused by its lock, whatever the lock says", async () => {
  await using at = await place();
  using _first = CacheDirectory.open(at.path, HOLDER, libc);
  for (const text of ["", "{", '{"pid":"x"}']) {
    await Deno.writeTextFile(`${at.path}/LOCK`, text);
    throws(() => CacheDirectory.open(at.path, HOLDER, libc), /another process uses it/);
  }
});

Deno.test("CacheDirectory takes over from a process that was killed", async () => {
  await using at = await place();
  const script = `
    import { CacheDirectory } from "${new URL("./cache_directory.ts", import.meta.url)}";
    import { Libc } from "${new URL("../platform/libc.ts", import.meta.url)}";
    const holder = { pid: Deno.pid, mountPoint: "/wd", sinceMs: 0 };
    CacheDirectory.open(${JSON.stringify(at.path)}, holder, Libc.open());
    console.log("locked");
    setInterval(() => {}, 1_000);
  `;
  const file = `${at.path.slice(0, at.path.indexOf("/deep"))}/holder.ts`;
  await Deno.writeTextFile(file, script);
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--config", config, file],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  try {
    await reader.read();
    throws(() => CacheDirectory.open(at.path, HOLDER, libc), new RegExp(`process ${child.pid} `));
  } finally {
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
  }
  CacheDirectory.open(at.path, HOLDER, libc)[Symbol.dispose]();
});

Deno.test("CacheDirectory says why a directory cannot be used", async () => {
  await using at = await place();
  await Deno.mkdir(at.path.slice(0, at.path.lastIndexOf("/")), { recursive: true });
  await Deno.writeTextFile(at.path, "a file");
  throws(() => CacheDirectory.open(at.path, HOLDER, libc), {
    name: "CommandError",
    hint: "Give cache.path a directory on a local disk that this user may write to",
  });
});

Deno.test("CacheDirectory tells a disk that works again from one that does not", {
  ignore: cannotMount,
}, async () => {
  await using disk = await smallDisk(1 << 20);
  using directory = CacheDirectory.open(`${disk.path}/cache`, HOLDER, libc);
  await Deno.writeFile(`${disk.path}/filler`, new Uint8Array(1 << 20)).catch(() => undefined);
  await rejects(directory.probe(never), { name: "CacheDiskError" });
  await Deno.remove(`${disk.path}/filler`);
  await directory.probe(never);
  // Somebody removes the whole cache: it is set up, and locked, anew.
  await Deno.rename(`${disk.path}/cache`, `${disk.path}/moved`);
  await rejects(directory.probe(never), { name: "CacheDiskError" });
  await rejects(directory.space(), { name: "CacheDiskError", code: "gone" });
  await Deno.mkdir(`${disk.path}/cache`);
  await directory.probe(never);
  equal((await Deno.stat(directory.dataDirectory(255))).isDirectory, true);
  throws(() => CacheDirectory.open(`${disk.path}/cache`, HOLDER, libc), /process 4711/);
});

Deno.test("CacheDirectory spreads data files by the last two digits of their id", async () => {
  await using at = await place();
  using directory = CacheDirectory.open(at.path, HOLDER, libc);
  equal(directory.dataPath(0x5), `${at.path}/data/05/5`);
  equal(directory.dataPath(0x65f2_1ab3_4cd), `${at.path}/data/cd/65f21ab34cd`);
  for (const id of [0, 5, 255, 256, 0x65f2_1ab3_4cd, Number.MAX_SAFE_INTEGER]) {
    equal(idOfName(directory.dataPath(id).split("/").at(-1) ?? ""), id);
  }
  for (const name of ["", "05", "AB", "g", "-1", "1.tmp", "fffffffffffffff"]) {
    equal(idOfName(name), null, name);
  }
});
