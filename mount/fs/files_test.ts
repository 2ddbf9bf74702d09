import assert from "node:assert/strict";
import { FileSystemFixture, SETTINGS } from "../../tests/support/file_system.ts";
import type { HandleId, Reply } from "../fuse/messages.ts";

const EINTR = 4;
const ENXIO = 6;
const EISDIR = 21;
const EROFS = 30;
const ESTALE = 116;
const O_WRONLY = 1;
const O_RDWR = 2;

/** An object of one letter, longer than the store hands out at once. */
function letters(letter: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(640).fill(letter.charCodeAt(0));
}

function text(bytes: Uint8Array | number): string | number {
  return typeof bytes === "number" ? bytes : new TextDecoder().decode(bytes);
}

/** A file system with `data/a` open. */
async function opened(): Promise<{ fixture: FileSystemFixture; handle: HandleId }> {
  const fixture = new FileSystemFixture();
  fixture.store().memory.seed("a", letters("x"));
  const { node } = await fixture.find("data/a");
  return { fixture, handle: await fixture.open(node) };
}

Deno.test("READ gives the bytes asked for, fewer at the end and none behind it", async () => {
  const fixture = new FileSystemFixture();
  fixture.seed("abcdef");
  const { node } = await fixture.find("data/abcdef");
  const handle = await fixture.open(node);
  assert.equal(text(await fixture.read(handle, 1, 3)), "bcd");
  assert.equal(text(await fixture.read(handle, 4, 100)), "ef");
  assert.equal(text(await fixture.read(handle, 6, 100)), "");
  assert.equal(text(await fixture.read(handle, 2 ** 40, 1)), "");
  assert.equal(fixture.calls("read"), 2);
});

Deno.test("an object without bytes is read without asking its store", async () => {
  const fixture = new FileSystemFixture();
  fixture.store().memory.seed("empty", new Uint8Array(0));
  const { node } = await fixture.find("data/empty");
  assert.equal(text(await fixture.read(await fixture.open(node), 0, 4096)), "");
  assert.equal(fixture.calls("read"), 0);
});

Deno.test("OPEN refuses writing and directories", async () => {
  const fixture = new FileSystemFixture();
  fixture.seed("a");
  const file = await fixture.find("data/a");
  const directory = await fixture.find("data");
  for (const flags of [O_WRONLY, O_RDWR]) {
    assert.equal(await fixture.errno({ op: "open", flags }, file.node), EROFS);
  }
  assert.equal(await fixture.errno({ op: "open", flags: 0 }, directory.node), EISDIR);
});

Deno.test("READ of an overwritten object is ESTALE, never the new bytes", async () => {
  const { fixture, handle } = await opened();
  fixture.store().memory.seed("a", letters("y"));
  assert.equal(await fixture.read(handle, 0, 640), ESTALE);
});

Deno.test("READ of a deleted object is ESTALE", async () => {
  const { fixture, handle } = await opened();
  await fixture.store().memory.remove("a", new AbortController().signal);
  assert.equal(await fixture.read(handle, 0, 640), ESTALE);
});

Deno.test("READ with an overwrite in its middle is ESTALE, never mixed bytes", async () => {
  const { fixture, handle } = await opened();
  const reading = fixture.read(handle, 0, 640);
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  fixture.store().memory.seed("a", letters("y"));
  assert.equal(await reading, ESTALE);
});

Deno.test("OPEN of a version known to be gone is ESTALE until the next LOOKUP", async () => {
  const { fixture, handle } = await opened();
  const { node } = await fixture.find("data/a");
  fixture.store().memory.seed("a", letters("y"));
  assert.equal(await fixture.errno({ op: "open", flags: 0 }, node), 0); // nobody knows yet
  await fixture.read(handle, 0, 1);
  assert.equal(await fixture.errno({ op: "open", flags: 0 }, node), ESTALE);
  const current = await fixture.find("data/a");
  const reopened = await fixture.open(current.node);
  assert.equal(text(await fixture.read(reopened, 0, 2)), "yy");
  assert.equal(await fixture.read(handle, 0, 1), ESTALE);
});

Deno.test("a version found to be gone is not brought back by an older listing", async () => {
  const fixture = new FileSystemFixture();
  fixture.store().memory.seed("a", letters("x"));
  const directory = await fixture.find("data");
  await fixture.names(directory.node);
  const old = await fixture.find("data/a");
  const handle = await fixture.open(old.node);
  fixture.store().memory.seed("a", letters("y"));
  assert.equal((await fixture.find("data/a")).node, old.node); // as the listing says
  assert.equal(await fixture.read(handle, 0, 1), ESTALE);
  assert.notEqual((await fixture.find("data/a")).node, old.node);
});

Deno.test("READs of one range at once share one request", async () => {
  const { fixture, handle } = await opened();
  const read = await Promise.all(
    Array.from({ length: 8 }, () => fixture.read(handle, 0, 640)),
  );
  for (const bytes of read) assert.equal(text(bytes), "x".repeat(640));
  assert.equal(fixture.calls("read"), 1);
});

Deno.test("a reader that is interrupted and comes back finds its bytes on the way", async () => {
  const { fixture, handle } = await opened();
  fixture.store().scripted.steps.push({ kind: "hang", afterBytes: 0 });
  const interrupt = new AbortController();
  const read = { op: "read", handle, offset: 0, size: 640 } as const;
  const first = fixture.send(read, undefined, interrupt.signal);
  interrupt.abort();
  assert.deepEqual(await first, { kind: "error", errno: EINTR });
  const second = fixture.send(read);
  await fixture.clock.advance(60_000);
  assert.equal(fixture.calls("read"), 1);
  assert.equal(fixture.store().scripted.seen.at(-1)?.signal.aborted, false);
  assert(second instanceof Promise);
});

Deno.test("a read nobody comes back for is given up after five seconds", async () => {
  const { fixture, handle } = await opened();
  fixture.store().scripted.steps.push({ kind: "hang", afterBytes: 0 });
  const interrupt = new AbortController();
  const read = fixture.send(
    { op: "read", handle, offset: 0, size: 1 },
    undefined,
    interrupt.signal,
  );
  interrupt.abort();
  await read;
  const asked = fixture.store().scripted.seen.at(-1);
  await fixture.clock.advance(4_999);
  assert.equal(asked?.signal.aborted, false);
  await fixture.clock.advance(1);
  assert.equal(asked?.signal.aborted, true);
});

Deno.test("a file that is open keeps its node after FORGET until its last RELEASE", async () => {
  const { fixture, handle } = await opened();
  const { node } = await fixture.find("data/a");
  const second = await fixture.open(node);
  fixture.forget(node);
  await fixture.send({ op: "release", handle });
  assert.equal(text(await fixture.read(second, 0, 2)), "xx");
  assert.equal(fixture.fs.openFiles, 1);
  await fixture.send({ op: "release", handle: second });
  assert.equal(fixture.fs.openFiles, 0);
  fixture.forgetAll();
});

Deno.test("OPEN that the kernel did not take leaves nothing open", async () => {
  const fixture = new FileSystemFixture();
  fixture.seed("a");
  const { node } = await fixture.find("data/a");
  const reply: Reply = await fixture.send({ op: "open", flags: 0 }, node);
  assert(reply.kind === "opened");
  reply.withdraw();
  assert.equal(fixture.fs.openFiles, 0);
});

Deno.test("closing the file system closes what the kernel left open", async () => {
  const { fixture } = await opened();
  fixture.fs.close();
  assert.equal(fixture.fs.openFiles, 0);
});

Deno.test("LSEEK shows an object as data with its only hole at the end", async () => {
  const { fixture, handle } = await opened();
  const seek = (offset: number, whence: "data" | "hole") =>
    fixture.send({ op: "lseek", handle, offset, whence });
  assert.deepEqual(await seek(100, "data"), { kind: "offset", offset: 100 });
  assert.deepEqual(await seek(100, "hole"), { kind: "offset", offset: 640 });
  assert.deepEqual(await seek(640, "data"), { kind: "error", errno: ENXIO });
  assert.deepEqual(await seek(640, "hole"), { kind: "error", errno: ENXIO });
});

Deno.test("OPEN lets the kernel keep the pages of a version", async () => {
  const fixture = new FileSystemFixture(SETTINGS);
  fixture.seed("a");
  const { node } = await fixture.find("data/a");
  const reply = await fixture.send({ op: "open", flags: 0 }, node);
  assert(reply.kind === "opened");
  assert.deepEqual(reply.as, { mode: "cached" });
});
