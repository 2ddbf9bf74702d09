import assert from "node:assert/strict";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { sampleBytes } from "../../tests/support/sample_bytes.ts";
import { LocalBackend } from "../backend/local/backend.ts";
import { BufferPool } from "../fetch/buffer_pool.ts";
import { LocalObjects } from "./local_object.ts";
import type { OpenObject } from "./open_object.ts";
import { Libc } from "../platform/libc.ts";

const libc = Libc.open();
const never = new AbortController().signal;
const SIZE = 300_000;
const CONTENT = sampleBytes(SIZE, 1);

/** The objects of a directory with one file in it, `file`. */
async function place() {
  const root = await Deno.makeTempDir({ prefix: "warpdrive-object-" });
  const path = `${root}/file`;
  await Deno.writeFile(path, CONTENT);
  const backend = new LocalBackend("local", root, libc);
  const buffers = new BufferPool("reads", 1 << 20, 1, 0);
  const objects = new LocalObjects({
    backend: "local",
    files: backend,
    libc,
    clock: new FakeClock(),
    buffers,
    timeoutMs: 30_000,
    scratch: new Uint8Array(1 << 20),
  });
  return {
    path,
    async open(): Promise<OpenObject> {
      const entry = await backend.stat("file", never);
      assert.ok(entry?.kind === "object");
      return await objects.open("file", entry);
    },
    objects,
    backend,
    async [Symbol.asyncDispose]() {
      await backend[Symbol.asyncDispose]();
      await Deno.remove(root, { recursive: true });
    },
  };
}

Deno.test("LocalObjects reads every range, at once from the page cache or later", async () => {
  await using at = await place();
  const object = await at.open();
  for (const [offset, length] of [[0, SIZE], [1, 4_095], [SIZE - 1, 1]] as const) {
    const expected = CONTENT.slice(offset, offset + length);
    const lease = await object.read(offset, length, never);
    assert.deepEqual(lease.bytes, expected);
    lease.release();
    const now = object.readNow(offset, length);
    // A file system that cannot tell what is cached says null.
    if (now !== null) assert.deepEqual(now.slice(), expected);
  }
  object.close();
});

Deno.test("LocalObjects opens a file that was written to as what it is now", async () => {
  await using at = await place();
  const old = await at.backend.stat("file", never);
  assert.ok(old?.kind === "object");
  await Deno.writeFile(at.path, sampleBytes(SIZE + 1, 2), { append: true });
  const object = await at.objects.open("file", old);
  assert.equal(object.entry.sizeBytes, 2 * SIZE + 1);
  object.close();
});

Deno.test("LocalObjects opens no other file in place of the one that was looked up", async () => {
  await using at = await place();
  const old = await at.backend.stat("file", never);
  assert.ok(old?.kind === "object");
  await Deno.writeFile(`${at.path}.new`, CONTENT);
  await Deno.rename(`${at.path}.new`, at.path);
  await assert.rejects(at.objects.open("file", old), { code: "changed" });
  await Deno.remove(at.path);
  await assert.rejects(at.objects.open("file", old), { code: "changed" });
});

Deno.test("LocalObjects gives no bytes of a file that changed since it was opened", async () => {
  await using at = await place();
  const object = await at.open();
  await Deno.utime(at.path, 1, 1);
  await assert.rejects(object.read(0, 10, never), { code: "changed" });
  assert.throws(() => {
    // Null, where it cannot be told what is cached, is no bytes either.
    if (object.readNow(0, 10) === null) throw Object.assign(new Error("None"), { code: "changed" });
  }, { code: "changed" });
  object.close();
});

Deno.test("LocalObjects gives an error, not fewer bytes, where a file became shorter", async () => {
  await using at = await place();
  const object = await at.open();
  await Deno.truncate(at.path, 5);
  await assert.rejects(object.read(0, 10, never), { code: "changed" });
  assert.equal(object.status().sizeBytes, 5); // in passthrough it shows as it is
  object.close();
});

Deno.test("LocalObjects gives the buffer of a failed read back", async () => {
  await using at = await place();
  const object = await at.open();
  await Deno.utime(at.path, 1, 1);
  // The pool has one buffer and no queue.
  for (let round = 0; round < 3; round += 1) {
    await assert.rejects(object.read(0, 10, never), { code: "changed" });
    await Promise.resolve();
  }
  object.close();
});

Deno.test("LocalObjects finds data and holes where the file has them", async () => {
  await using at = await place();
  const object = await at.open();
  assert.equal(object.seek(10, "data"), 10);
  assert.equal(object.seek(10, "hole"), SIZE);
  object.close();
});

Deno.test("LocalObjects closes a file under a read only when the read has ended", async () => {
  await using at = await place();
  const object = await at.open();
  const reading = object.read(0, SIZE, never);
  // Until it has its buffer and is with the disk.
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  object.close();
  const lease = await reading;
  assert.deepEqual(lease.bytes, CONTENT);
  lease.release();
});

Deno.test("LocalObjects reads nothing by a descriptor that may be another file's", async () => {
  await using at = await place();
  const object = await at.open();
  const reading = object.read(0, SIZE, never);
  object.close(); // before the read had its buffer
  const other = libc.openPath("/dev/zero", 0);
  await assert.rejects(reading, { code: "unavailable" });
  libc.close(other);
});
