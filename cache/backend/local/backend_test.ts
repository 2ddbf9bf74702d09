import assert from "node:assert/strict";
import { run } from "../../../tests/support/command.ts";
import { Libc } from "../../platform/libc.ts";
import type { BackendErrorCode } from "../backend.ts";
import { LocalBackend } from "./backend.ts";

const libc = Libc.open();
const never = new AbortController().signal;

/** A backend over a directory of its own, next to which `outside` lies. */
async function place() {
  const directory = await Deno.makeTempDir({ prefix: "warpdrive-local-" });
  const root = `${directory}/root`;
  await Deno.mkdir(root);
  await Deno.mkdir(`${directory}/outside`);
  await Deno.writeTextFile(`${directory}/outside/secret`, "secret");
  const backend = new LocalBackend("local", root, libc);
  return {
    root,
    directory,
    backend,
    async [Symbol.asyncDispose]() {
      await backend[Symbol.asyncDispose]();
      await Deno.remove(directory, { recursive: true });
    },
  };
}

/** Checks for a failure with one of the closed codes. */
function code(expected: BackendErrorCode) {
  return (error: unknown) => {
    assert.equal(error instanceof Error && "code" in error ? error.code : error, expected);
    return true;
  };
}

Deno.test("LocalBackend shows files, directories and links, and nothing else", async () => {
  await using at = await place();
  await Deno.writeTextFile(`${at.root}/file`, "12345");
  await Deno.mkdir(`${at.root}/directory`);
  await Deno.symlink("file", `${at.root}/link`);
  assert.equal((await run("mkfifo", `${at.root}/pipe`)).code, 0);
  const { entries, next } = await at.backend.list("", null, never);
  const kinds = entries.map(({ name, kind }) => [name, kind]).sort();
  assert.deepEqual(kinds, [["directory", "directory"], ["file", "object"], ["link", "symlink"]]);
  assert.deepEqual((await at.backend.list("", next, never)).entries, []);
  assert.equal(await at.backend.stat("pipe", never), null);
  assert.equal(await at.backend.open("pipe"), null);
});

Deno.test("LocalBackend follows no link, in the middle of a path neither", async () => {
  await using at = await place();
  await Deno.mkdir(`${at.root}/directory`);
  await Deno.writeTextFile(`${at.root}/directory/file`, "");
  await Deno.symlink("directory", `${at.root}/inside`);
  await Deno.symlink("../outside", `${at.root}/out`);
  assert.equal(await at.backend.stat("inside/file", never), null);
  assert.equal(await at.backend.stat("out/secret", never), null);
  assert.equal(await at.backend.open("out/secret"), null);
});

Deno.test("LocalBackend never leaves its root by any path", async () => {
  await using at = await place();
  for (const path of ["../outside/secret", "..", "a/../../outside/secret"]) {
    const reached = await at.backend.stat(path, never).catch((error: unknown) => error);
    const refused = reached === null || (reached instanceof Error && "code" in reached &&
      reached.code === "denied");
    assert.ok(refused, `${path}: ${Deno.inspect(reached)}`);
  }
});

const LINKS: readonly (readonly [target: string, leadsOut: boolean])[] = [
  ["file", false],
  ["directory/../file", false],
  ["missing", false],
  ["../root/file", true], // back in again, but by way of outside
  ["../outside/secret", true],
  ["/etc/passwd", true],
  ["second", true],
];

for (const [target, leadsOut] of LINKS) {
  Deno.test(`LocalBackend ${leadsOut ? "refuses" : "reads"} a link to "${target}"`, async () => {
    await using at = await place();
    await Deno.mkdir(`${at.root}/directory`);
    await Deno.writeTextFile(`${at.root}/file`, "");
    await Deno.symlink("/", `${at.root}/second`);
    await Deno.symlink(target, `${at.root}/link`);
    if (leadsOut) return await assert.rejects(at.backend.linkTarget("link"), code("denied"));
    assert.equal(new TextDecoder().decode(await at.backend.linkTarget("link")), target);
  });
}

Deno.test("LocalBackend says without waiting what is known, absence too", async () => {
  await using at = await place();
  await Deno.writeTextFile(`${at.root}/file`, "12345");
  await at.backend.stat("file", never);
  const status = at.backend.statusCached("file");
  assert.ok(status !== null && status !== "unknown" && status.kind === "object");
  assert.equal(status.sizeBytes, 5);
  assert.equal(await at.backend.stat("missing", never), null);
  assert.equal(at.backend.statusCached("missing"), null);
  assert.equal(await at.backend.stat("file/below", never), null);
  assert.equal(await at.backend.stat("n".repeat(256), never), null);
});

const CHANGES: readonly (readonly [how: string, change: (path: string) => Promise<void>])[] = [
  ["appended to", (path) => Deno.writeTextFile(path, "more", { append: true })],
  ["rewritten with as many bytes", (path) => Deno.writeTextFile(path, "54321")],
  ["cut short", (path) => Deno.truncate(path, 1)],
  ["given another time", (path) => Deno.utime(path, 1, 1)],
];

for (const [how, change] of CHANGES) {
  Deno.test(`LocalBackend tells that an open file was ${how}`, async () => {
    await using at = await place();
    const path = `${at.root}/file`;
    await Deno.writeTextFile(path, "12345");
    await Deno.utime(path, 1_000_000_000, 1_000_000_000);
    const file = await at.backend.open("file");
    assert.ok(file !== null);
    try {
      assert.equal(at.backend.isUnchanged(file), true);
      await change(path);
      assert.equal(at.backend.isUnchanged(file), false);
      assert.notEqual(at.backend.statusOfOpen(file.fd, "file").version, file.entry.version);
    } finally {
      libc.close(file.fd);
    }
  });
}

Deno.test("LocalBackend takes a file that replaced another for another version", async () => {
  await using at = await place();
  await Deno.writeTextFile(`${at.root}/file`, "12345");
  const before = await at.backend.stat("file", never);
  await Deno.writeTextFile(`${at.root}/new`, "12345");
  await Deno.rename(`${at.root}/new`, `${at.root}/file`);
  const after = await at.backend.stat("file", never);
  assert.ok(before?.kind === "object" && after?.kind === "object");
  assert.notEqual(before.version, after.version);
  const target = new Uint8Array(5);
  const range = { path: "file", version: before.version, offset: 0, target, onFilled: () => {} };
  await assert.rejects(at.backend.read(range, never), code("changed"));
});

Deno.test("LocalBackend lists more names than one call gives, each once", async () => {
  await using at = await place();
  const names = Array.from({ length: 6_000 }, (_, index) => `name-${String(index).padStart(40)}`);
  for (const name of names) Deno.writeTextFileSync(`${at.root}/${name}`, "");
  const listed: string[] = [];
  let pages = 0;
  for (let token: string | null = null;;) {
    const page = await at.backend.names("", token);
    pages += 1;
    listed.push(...page.names.map(({ name }) => name));
    if (page.next === null) break;
    token = page.next;
  }
  assert.ok(pages > 2, `${pages} pages`);
  assert.deepEqual(listed.sort(), names);
});

Deno.test("LocalBackend serves a root that comes, goes and comes back", async () => {
  await using at = await place();
  const backend = new LocalBackend("late", `${at.directory}/late`, libc);
  await assert.rejects(backend.stat("a", never), code("unavailable"));
  for (const content of ["1", "22"]) {
    await Deno.mkdir(`${at.directory}/late`);
    await Deno.writeTextFile(`${at.directory}/late/a`, content);
    const entry = await backend.stat("a", never);
    assert.ok(entry?.kind === "object");
    assert.equal(entry.sizeBytes, content.length);
    await Deno.remove(`${at.directory}/late`, { recursive: true });
    await assert.rejects(backend.stat("a", never), code("unavailable"));
  }
  await backend[Symbol.asyncDispose]();
});

Deno.test("LocalBackend finds a new root where the old one was deleted, by any call", async () => {
  await using at = await place();
  const calls = {
    "stat": () => at.backend.stat("a", never),
    "statusCached": () => Promise.resolve(at.backend.statusCached("")),
    "names": () => at.backend.names("", null),
    "open": () => at.backend.open("a").then((file) => file !== null && libc.close(file.fd)),
  };
  for (const [name, call] of Object.entries(calls)) {
    await Deno.writeTextFile(`${at.root}/a`, name);
    await call();
    await Deno.remove(at.root, { recursive: true });
    await assert.rejects(async () => await call(), code("unavailable"), name);
    await Deno.mkdir(at.root);
  }
});

Deno.test("LocalBackend leaves no descriptor open", async () => {
  await using at = await place();
  await Deno.writeTextFile(`${at.root}/file`, "12345");
  await Deno.symlink("file", `${at.root}/link`);
  await at.backend.stat("", never);
  const before = openDescriptors(at.directory);
  for (let round = 0; round < 3; round += 1) {
    await at.backend.list("", null, never);
    await at.backend.linkTarget("link");
    await at.backend.stat("missing", never);
    await at.backend.open("link");
    at.backend.statusCached("file");
  }
  assert.deepEqual(openDescriptors(at.directory), before);
});

/** Paths below `directory` that this process has open. */
function openDescriptors(directory: string): string[] {
  return [...Deno.readDirSync("/proc/self/fd")].flatMap(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`);
    } catch {
      return []; // The one the directory itself was read by.
    }
  }).filter((path) => path.startsWith(directory)).sort();
}
