/** Objects of a remote store as files of a real mount. */
import { deepEqual, equal, notEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ERRNO } from "../cache/platform/errno.ts";
import { OPEN_FLAGS } from "../cache/platform/open_flags.ts";
import { succeed } from "./support/command.ts";
import { mount, type MountSettings } from "./support/mounted.ts";
import { Posix, SEEK } from "./support/posix.ts";
import { RemoteStore } from "./support/remote_store.ts";
import { sampleBytes } from "./support/sample_bytes.ts";

const MIB = 1 << 20;
const SIZE = 9 * MIB + 777;
const CONTENT = sampleBytes(SIZE, 11);
const OTHER = sampleBytes(SIZE, 12);
const ODD_NAMES = ["a b#c?d%20&e", "日本語", "e\u0301", "x".repeat(255)];

let store: RemoteStore | null = null;
Deno.test.beforeAll(async () => {
  store = await RemoteStore.start();
  await store.container("objects", {
    "file": CONTENT,
    "empty": new Uint8Array(0),
    "deep/er/file": CONTENT.subarray(0, 1_000),
    ...Object.fromEntries(ODD_NAMES.map((name) => [`odd/${name}`, CONTENT.subarray(0, 10)])),
    "unlistable//twice": CONTENT.subarray(0, 10),
    [`unlistable/${"y".repeat(256)}`]: CONTENT.subarray(0, 10),
    "unlistable/listable": CONTENT.subarray(0, 10),
  });
});
Deno.test.afterAll(async () => {
  await store?.[Symbol.asyncDispose]();
});

function started(): RemoteStore {
  if (store === null) throw new Error("The store has not been started");
  return store;
}

function settings(
  container: string,
  config: Readonly<Record<string, unknown>> = {},
): MountSettings {
  const backends = [started().backend(container, "proxied")];
  return { config: { backends, ...config }, variables: started().variables };
}

async function names(path: string): Promise<readonly string[]> {
  return (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name).sort();
}

Deno.test("Objects are files: their bytes, names, sizes, times and modes", async (t) => {
  const owner = { uid: 12, gid: 34, file_mode: "0440" };
  await using mounted = await mount(settings("objects", { owner }));
  const root = `${mounted.path}/objects`;
  using posix = new Posix();
  await t.step("bytes are equal in every range, with and without the page cache", async () => {
    equal(Buffer.compare(await Deno.readFile(`${root}/file`), CONTENT), 0);
    equal((await Deno.readFile(`${root}/empty`)).length, 0);
    const fd = await posix.open(`${root}/file`, OPEN_FLAGS.DIRECT);
    for (const [offset, length] of [[1, 7], [MIB - 3, 2 * MIB + 5], [SIZE - 9, 100]] as const) {
      deepEqual(await posix.read(fd, offset, length), CONTENT.slice(offset, offset + length));
    }
    equal((await posix.read(fd, SIZE, 1)).length, 0);
    await posix.done("close", fd);
  });
  await t.step("names are as they are stored", async () => {
    deepEqual(await names(root), ["deep", "empty", "file", "odd", "unlistable"]);
    deepEqual(await names(`${root}/odd`), [...ODD_NAMES].sort());
    for (const name of ODD_NAMES) {
      deepEqual(await Deno.readFile(`${root}/odd/${name}`), CONTENT.slice(0, 10));
    }
    deepEqual(await names(`${root}/deep/er`), ["file"]);
  });
  await t.step("keys that cannot be names are left out and counted", async () => {
    deepEqual(await names(`${root}/unlistable`), ["listable"]);
    const counter = 'warpdrive_unlistable_keys_total{backend="objects"}';
    equal((await mounted.metrics()).get(counter), 2);
  });
  await t.step("attributes are those of the store and of the configuration", async () => {
    const status = await posix.status(`${root}/file`);
    const container = await started().container("objects", {});
    const { lastModified } = await container.getBlobClient("file").getProperties();
    equal(status.modified.seconds, (lastModified?.getTime() ?? NaN) / 1_000);
    deepEqual(
      [status.sizeBytes, status.blocks, status.permissions, status.uid, status.gid],
      [SIZE, Math.ceil(SIZE / 512), 0o440, 12, 34],
    );
    const directory = await posix.status(`${root}/deep`);
    deepEqual([directory.type, directory.permissions, directory.uid], ["directory", 0o555, 12]);
    equal(await succeed("du", "--block-size=512", `${root}/file`).then(parseInt), status.blocks);
  });
  await t.step("the ETag can be asked for", async () => {
    const container = await started().container("objects", {});
    const { etag } = await container.getBlobClient("file").getProperties();
    equal(await posix.attribute(`${root}/file`, "user.warpdrive.etag"), etag?.replaceAll('"', ""));
    equal(await posix.attribute(`${root}/deep/er/file`, "user.warpdrive.key"), "deep/er/file");
  });
  await t.step("an object is all data with its hole at the end", async () => {
    const fd = await posix.open(`${root}/file`);
    equal(await posix.call("lseek", fd, 5, SEEK.DATA), 5);
    equal(await posix.call("lseek", fd, 5, SEEK.HOLE), SIZE);
    equal(await posix.call("lseek", fd, SIZE, SEEK.DATA), -ERRNO.ENXIO);
    await posix.done("close", fd);
  });
});

Deno.test("ls -l of a fresh directory costs its listing and no request per file", async () => {
  const many = Array.from({ length: 500 }, (_, index) => [`directory/${index}`, new Uint8Array(1)]);
  await started().container("listed", Object.fromEntries(many));
  await using mounted = await mount(settings("listed"));
  const { proxy } = started();
  await Deno.stat(`${mounted.path}/listed/directory`);
  proxy.seen.length = 0;
  const lines = await succeed("ls", "-l", `${mounted.path}/listed/directory`);
  equal(lines.trimEnd().split("\n").length, 501);
  deepEqual(proxy.seen.map(({ request }) => /comp=list/.test(request)), [true]);
});

Deno.test("A changed object is new at the next open and never mixed in an open file", async () => {
  const container = await started().container("changing", { file: CONTENT });
  const fuse = { attr_timeout: "0", entry_timeout: "0" };
  await using mounted = await mount(settings("changing", { fuse, cache: { stale_ttl: "0" } }));
  const path = `${mounted.path}/changing/file`;
  using posix = new Posix();
  const fd = await posix.open(path, OPEN_FLAGS.DIRECT);
  deepEqual(await posix.read(fd, 0, 4096), CONTENT.slice(0, 4096));
  const version = await posix.attribute(path, "user.warpdrive.version");
  await container.getBlockBlobClient("file").upload(OTHER, OTHER.length);
  const buffer = await posix.done("aligned_alloc", 4096, 4096);
  equal(await posix.call("pread64", fd, buffer, 4096, 5 * MIB), -ERRNO.ESTALE);
  equal(Buffer.compare(await Deno.readFile(path), OTHER), 0);
  notEqual(await posix.attribute(path, "user.warpdrive.version"), version);
  await container.getBlobClient("file").delete();
  equal(await posix.call("open", path, OPEN_FLAGS.RDONLY, 0), -ERRNO.ENOENT);
  await posix.done("close", fd);
});

Deno.test("A change is seen at the next open though names are kept for a minute", async () => {
  const container = await started().container("kept", { file: CONTENT });
  await using mounted = await mount(settings("kept"));
  const path = `${mounted.path}/kept/file`;
  using posix = new Posix();
  const fd = await posix.open(path, OPEN_FLAGS.DIRECT);
  await posix.read(fd, 0, 4096);
  await container.getBlockBlobClient("file").upload(OTHER, OTHER.length);
  const buffer = await posix.done("aligned_alloc", 4096, 4096);
  // The mount learns of it here.
  equal(await posix.call("pread64", fd, buffer, 4096, 5 * MIB), -ERRNO.ESTALE);
  equal(Buffer.compare(await Deno.readFile(path), OTHER), 0);
  await posix.done("close", fd);
});
