import assert from "node:assert/strict";
import type { BackendErrorCode } from "../../cache/backend/backend.ts";
import { HealthGuard } from "../../cache/backend/guard/health.ts";
import { silentLogger } from "../../cache/platform/log.ts";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { FileSystemFixture, SETTINGS } from "../../tests/support/file_system.ts";
import { failing } from "../../tests/support/scripted_backend.ts";
import { RecordsBuffer } from "../fuse/encode.ts";
import { ERRNO } from "../../cache/platform/errno.ts";
import { handleId } from "../fuse/ids.ts";
import type { NodeId, Operation } from "../fuse/messages.ts";

const EIO = 5;
const EROFS = 30;
const ERANGE = 34;
const ENOSYS = 38;
const ENOTTY = 25;
const ENODATA = 61;

const ERRORS: readonly (readonly [BackendErrorCode, errno: number, level: string])[] = [
  ["not_found", EIO, "warn"],
  ["changed", 116, "info"],
  ["denied", 13, "warn"],
  ["throttled", EIO, "warn"],
  ["unavailable", EIO, "warn"],
  ["timeout", 110, "warn"],
  ["degraded", EIO, "debug"],
  ["invalid", 22, "warn"],
];

for (const [code, errno, level] of ERRORS) {
  Deno.test(`a store that answers ${code} fails lookup, listing and read alike`, async () => {
    const fixture = new FileSystemFixture();
    fixture.seed("a");
    const { steps } = fixture.store().scripted;
    const directory = await fixture.find("data");
    const file = await fixture.find("data/a");
    const handle = await fixture.open(file.node);
    const listing = await fixture.open(directory.node, "opendir");
    steps.push(failing(code), failing(code), failing(code));
    assert.equal(await fixture.errno({ op: "lookup", name: "b" }, directory.node), errno);
    assert.equal(await fixture.readDirectory(listing, 2), errno);
    assert.equal(await fixture.read(handle, 0, 1), errno);
    assert.deepEqual(fixture.records.map((record) => record["level"]), [level, level, level]);
    assert.match(String(fixture.records[0]?.["path"]), /^data\/b$/);
    assert.equal(steps.length, 0);
  });
}

Deno.test("a degraded backend answers EIO at once, and nothing else does", async () => {
  const clock = new FakeClock();
  const deps = { probe: () => Promise.reject(new Error("Down")), clock, logger: silentLogger };
  const guards: HealthGuard[] = [];
  const fixture = new FileSystemFixture(SETTINGS, ["bad", "good"], (backend) => {
    const guard = new HealthGuard(backend, deps);
    guards.push(guard);
    return guard.backend;
  });
  fixture.store("good").memory.seed("a", new Uint8Array(1));
  const { scripted } = fixture.store("bad");
  const bad = await fixture.find("bad");
  scripted.steps.push(failing("unavailable"), failing("timeout"), failing("throttled"));
  for (const name of ["x", "y", "z"]) await fixture.lookup(bad.node, name);
  const asked = scripted.seen.length;
  assert.equal(await fixture.errno({ op: "lookup", name: "a" }, bad.node), EIO);
  const handle = await fixture.open(bad.node, "opendir");
  assert.equal(await fixture.readDirectory(handle, 2), EIO);
  assert.equal(scripted.seen.length, asked);
  await fixture.find("good/a");
  await fixture.find("bad");
  for (const guard of guards) await guard.backend[Symbol.asyncDispose]();
});

/** A file system with `data/a` in it. */
async function withFile(): Promise<{ fixture: FileSystemFixture; node: NodeId }> {
  const fixture = new FileSystemFixture();
  fixture.seed("a");
  return { fixture, node: (await fixture.find("data/a")).node };
}

Deno.test("everything that would change something is EROFS, whoever asks for what", async () => {
  const { fixture, node } = await withFile();
  for (const name of ["setattr", "mkdir", "unlink", "rename", "write", "setxattr"]) {
    assert.equal(await fixture.errno({ op: "modify", name }, node), EROFS);
  }
  assert.equal(await fixture.errno({ op: "access", mask: 2 }, node), EROFS);
  assert.equal(await fixture.errno({ op: "access", mask: 4 }, node), 0);
});

Deno.test("what is not implemented is ENOSYS, and ioctl is ENOTTY", async () => {
  const { fixture, node } = await withFile();
  assert.equal(await fixture.errno({ op: "unsupported", name: "fsync" }, node), ENOSYS);
  assert.equal(await fixture.errno({ op: "ioctl" }, node), ENOTTY);
});

Deno.test("FLUSH and DESTROY have nothing to do", async () => {
  const { fixture, node } = await withFile();
  assert.deepEqual(await fixture.send({ op: "flush" }, node), { kind: "empty" });
  assert.deepEqual(await fixture.send({ op: "destroy" }), { kind: "empty" });
});

Deno.test("GETATTR and STATX show the same, for as long as attributes are believed", async () => {
  const { fixture, node } = await withFile();
  const attributes = await fixture.send({ op: "getattr" }, node);
  const status = await fixture.send({ op: "statx" }, node);
  assert(attributes.kind === "attributes" && status.kind === "statx");
  assert.deepEqual({ ...status, kind: "attributes" }, attributes);
  assert.equal(attributes.validMs, 60_000);
});

Deno.test("STATFS shows a file system without room, whose names have up to 255 bytes", async () => {
  const { fixture } = await withFile();
  const reply = await fixture.send({ op: "statfs" });
  assert(reply.kind === "statfs");
  assert.equal(reply.status.nameBytesMax, 255);
});

Deno.test("extended attributes tell where an object comes from, and are not listed", async () => {
  const fixture = new FileSystemFixture();
  const { version } = fixture.store().memory.seed("train/a", new Uint8Array(1));
  const { node } = await fixture.find("data/train/a");
  const get = async (name: string, size = 64) => {
    const reply = await fixture.send({ op: "getxattr", name, size }, node);
    return reply.kind === "bytes" ? new TextDecoder().decode(reply.bytes) : reply;
  };
  assert.equal(await get("user.warpdrive.backend"), "data");
  assert.equal(await get("user.warpdrive.key"), "train/a");
  assert.equal(await get("user.warpdrive.version"), version);
  assert.equal(await get("user.warpdrive.etag"), version);
  assert.deepEqual(await get("user.warpdrive.backend", 0), { kind: "size", sizeBytes: 4 });
  assert.deepEqual(await get("user.warpdrive.backend", 3), { kind: "error", errno: ERANGE });
  for (const name of ["user.warpdrive.other", "security.capability", "user.warpdrive."]) {
    assert.deepEqual(await get(name), { kind: "error", errno: ENODATA });
  }
  assert.deepEqual(await fixture.send({ op: "listxattr", size: 0 }, node), {
    kind: "size",
    sizeBytes: 0,
  });
  assert.deepEqual(await fixture.send({ op: "listxattr", size: 64 }, node), { kind: "empty" });
});

Deno.test("extended attributes tell what is here of an object, and its checksum", async () => {
  const fixture = new FileSystemFixture();
  const { memory } = fixture.store();
  memory.seed("train/a", new TextEncoder().encode("hello"));
  const { node } = await fixture.find("data/train/a");
  const get = async (name: string) => {
    const reply = await fixture.send({ op: "getxattr", name, size: 64 }, node);
    return reply.kind === "bytes" ? new TextDecoder().decode(reply.bytes) : reply;
  };
  assert.equal(await get("user.warpdrive.cached"), "0");
  assert.equal(await get("user.warpdrive.state"), "uncached");
  assert.equal(await get("user.warpdrive.checksum"), "md5:5d41402abc4b2a76b9719d911017c592");
  await memory.remove("train/a", new AbortController().signal);
  assert.deepEqual(await get("user.warpdrive.checksum"), { kind: "error", errno: ENODATA });
});

Deno.test("the root, which is of no backend, has no attributes of one", async () => {
  const { fixture } = await withFile();
  const operation: Operation = { op: "getxattr", name: "user.warpdrive.backend", size: 64 };
  assert.equal(await fixture.errno(operation), ENODATA);
});

Deno.test("what nobody foresaw is left to the session, which knows it for a bug", async () => {
  const { fixture } = await withFile();
  const records = new RecordsBuffer(4096, false);
  assert.throws(() => fixture.send({ op: "readdir", handle: handleId(4242), cookie: 0, records }));
});

Deno.test("above the limit of nodes, the kernel is told to drop the oldest idle ones", async () => {
  const fixture = new FileSystemFixture({ ...SETTINGS, nodesMax: 2 });
  fixture.seed("a", "b", "c");
  const { node: open } = await fixture.find("data/a");
  await fixture.open(open);
  const { node: idle } = await fixture.find("data/b");
  await fixture.find("data/c");
  const data = await fixture.find("data");
  assert.deepEqual(fixture.notifications[0], { kind: "prune", nodes: [data.node, idle] });
});

Deno.test("a kernel that cannot drop nodes by number is told their names", async () => {
  const fixture = new FileSystemFixture({ ...SETTINGS, nodesMax: 1, kernelPrunes: false });
  fixture.seed("a");
  const data = await fixture.find("data");
  await fixture.find("data/a");
  await fixture.find("data");
  await fixture.clock.settle();
  const names = fixture.notifications.map((notification) =>
    notification.kind === "forget_entry" ? [notification.parent, notification.name] : []
  );
  assert.deepEqual(names, [[1, "data"], [data.node, "a"]]);
});

Deno.test("a lister who leaves is let go at once, while others wait for the page", async () => {
  const fixture = new FileSystemFixture();
  fixture.seed("a");
  const { node } = await fixture.find("data");
  const handle = await fixture.open(node, "opendir");
  fixture.store().scripted.steps.push({ kind: "hang", afterBytes: 0 });
  const leaving = new AbortController();
  const records = new RecordsBuffer(4096, true);
  const list: Operation = { op: "readdir", handle, cookie: 0, records };
  const reply = fixture.send(list, node, leaving.signal);
  leaving.abort();
  assert.deepEqual(await reply, { kind: "error", errno: ERRNO.EINTR });
  assert.equal(fixture.store().scripted.seen.at(-1)?.signal.aborted, false);
});

Deno.test("a request may end after its node was forgotten", async () => {
  const fixture = new FileSystemFixture();
  const { node } = await fixture.find("data");
  fixture.store().scripted.steps.push({ kind: "hang", afterBytes: 0 });
  const leaving = new AbortController();
  const reply = fixture.send({ op: "lookup", name: "a" }, node, leaving.signal);
  fixture.forgetAll();
  leaving.abort();
  assert.deepEqual(await reply, { kind: "error", errno: ERRNO.EINTR });
});
