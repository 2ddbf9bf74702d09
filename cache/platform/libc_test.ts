import assert from "node:assert/strict";
import { ERRNO, errnoName, SystemError } from "./errno.ts";
import { cString, Libc } from "./libc.ts";
import { OPEN_FLAGS, RESOLVE } from "./open_flags.ts";

const libc = Libc.open();
const bytes = (text: string) => new TextEncoder().encode(text);

/** A directory with `file` in it, and its descriptor. */
async function place() {
  const directory = await Deno.makeTempDir({ prefix: "warpdrive-libc-" });
  await Deno.writeTextFile(`${directory}/file`, "0123456789");
  const fd = libc.openPath(directory, OPEN_FLAGS.PATH | OPEN_FLAGS.DIRECTORY);
  assert.ok(fd >= 0);
  return {
    directory,
    fd,
    file: () => libc.openPath(`${directory}/file`, OPEN_FLAGS.RDONLY),
    async [Symbol.asyncDispose]() {
      libc.close(fd);
      await Deno.remove(directory, { recursive: true });
    },
  };
}

Deno.test("calls that fail give the negated errno of their thread", async () => {
  await using at = await place();
  assert.equal(libc.openPath(`${at.directory}/missing`, OPEN_FLAGS.RDONLY), -ERRNO.ENOENT);
  const wrong = libc.openPath(`${at.directory}/file`, OPEN_FLAGS.RDONLY | OPEN_FLAGS.DIRECTORY);
  assert.equal(wrong, -ERRNO.ENOTDIR);
  assert.equal(libc.read(-1, new Uint8Array(1)), -ERRNO.EBADF);
  assert.equal(libc.write(-1, new Uint8Array(1)), -ERRNO.EBADF);
});

Deno.test("calls on blocking threads say only that they failed", async () => {
  assert.equal(await libc.readLater(-1, new Uint8Array(1), 0), -ERRNO.EIO);
  assert.equal(await libc.writeLater(-1, new Uint8Array(1)), -ERRNO.EIO);
  assert.equal(await libc.directoryRecordsLater(-1, new Uint8Array(64)), -ERRNO.EIO);
});

Deno.test("openBelow resolves as it is told to and never waits where it must not", async () => {
  await using at = await place();
  const below = (path: string, resolve: number) =>
    libc.openBelow(at.fd, cString(path), OPEN_FLAGS.PATH, resolve);
  await Deno.symlink("file", `${at.directory}/link`);
  const found = below("file", RESOLVE.BENEATH);
  assert.ok(found >= 0);
  assert.equal(libc.statusOf(found, "file").sizeBytes, 10);
  libc.close(found);
  assert.equal(below("..", RESOLVE.BENEATH), -ERRNO.EXDEV);
  assert.equal(below("link", RESOLVE.NO_SYMLINKS), -ERRNO.ELOOP);
  const later = await libc.openBelowLater(at.fd, cString("file"), OPEN_FLAGS.PATH, RESOLVE.BENEATH);
  assert.ok(later >= 0);
  libc.close(later);
});

Deno.test("files are read at any offset, at once or later, up to their end", async () => {
  await using at = await place();
  const fd = at.file();
  const into = new Uint8Array(20);
  // A view into the middle of a buffer, as leases are.
  const middle = into.subarray(5, 9);
  assert.equal(await libc.readLater(fd, middle, 2), 4);
  assert.deepEqual(middle, bytes("2345"));
  const cached = libc.readCached(fd, middle, 6);
  if (cached !== -ERRNO.EOPNOTSUPP) {
    assert.equal(cached, 4);
    assert.deepEqual(middle, bytes("6789"));
  }
  assert.equal(await libc.readLater(fd, middle, 8), 2);
  assert.equal(await libc.readLater(fd, middle, 10), 0);
  assert.deepEqual([...into.subarray(0, 5), ...into.subarray(9)], Array(16).fill(0));
  libc.close(fd);
});

Deno.test("offsets beyond 4 GiB arrive whole, also once calls are compiled", async () => {
  const path = await Deno.makeTempFile();
  const fd = libc.openPath(path, OPEN_FLAGS.RDWR);
  try {
    const offset = 5 * 2 ** 30;
    const into = new Uint8Array(4);
    assert.equal(await libc.files.writeAtLater(fd, bytes("far"), offset), 3);
    // The engine compiles a function that is called so often, and then calls C another way.
    for (let time = 0; time < 20_000; time += 1) {
      assert.equal(libc.readWaiting(fd, into, offset), 3);
    }
    assert.deepEqual(into.subarray(0, 3), bytes("far"));
    assert.equal(libc.readWaiting(-1, into, offset), -ERRNO.EBADF);
  } finally {
    libc.close(fd);
    await Deno.remove(path);
  }
});

Deno.test("the clock goes forward as the one of the runtime does", () => {
  const [outerBegan, innerBegan] = [performance.now(), libc.monotonicMs()];
  const began = performance.now();
  while (performance.now() < began + 2);
  const [innerMs, outerMs] = [libc.monotonicMs() - innerBegan, performance.now() - outerBegan];
  assert.ok(innerMs > 1.9 && innerMs < outerMs + 0.1, `${innerMs} ms within ${outerMs} ms`);
});

Deno.test("two buffers are written as one message", async () => {
  const { inherited, kept } = libc.inheritableSocketPair();
  try {
    assert.equal(libc.writeTwo(inherited, bytes("head "), bytes("and tail").subarray(0, 5)), 10);
    await libc.waitReadable(kept, -1);
    const read = new Uint8Array(32);
    assert.equal(libc.read(kept, read), 10);
    assert.deepEqual(read.subarray(0, 10), bytes("head and t"));
  } finally {
    libc.close(inherited);
    libc.close(kept);
  }
});

Deno.test("a nonblocking descriptor tells nothing yet from nothing more", async () => {
  const { inherited, kept } = libc.inheritableSocketPair();
  libc.setNonblocking(kept);
  assert.equal(libc.read(kept, new Uint8Array(8)), -ERRNO.EAGAIN);
  await libc.waitReadable(kept, 0);
  libc.close(inherited);
  await libc.waitReadable(kept, -1);
  assert.equal(libc.read(kept, new Uint8Array(8)), 0);
  assert.equal(await libc.receiveDescriptor(kept), null);
  libc.close(kept);
});

Deno.test("status tells what the file is, and later whether it still is that", async () => {
  await using at = await place();
  const fd = at.file();
  const status = libc.statusOf(fd, "file");
  const { size, ino, uid } = await Deno.stat(`${at.directory}/file`);
  assert.deepEqual([status.type, status.sizeBytes, Number(status.inode), status.uid], [
    "file",
    size,
    ino,
    uid,
  ]);
  assert.equal(libc.isUnchanged(fd, status), true);
  await Deno.utime(`${at.directory}/file`, 1, 1);
  assert.equal(libc.isUnchanged(fd, status), false);
  libc.close(fd);
  assert.equal(libc.isUnchanged(fd, status), false);
  assert.throws(() => libc.statusOf(-1, "file"), new SystemError("stat", "file", ERRNO.EBADF));
});

Deno.test("seek finds data and the hole at the end", async () => {
  await using at = await place();
  const fd = at.file();
  assert.equal(libc.seek(fd, 3, 3), 3);
  assert.equal(libc.seek(fd, 3, 4), 10);
  assert.equal(libc.seek(fd, 11, 3), -ERRNO.ENXIO);
  libc.close(fd);
});

Deno.test("link targets are bytes, and what is no link has none", async () => {
  await using at = await place();
  await Deno.symlink("to/ä", `${at.directory}/link`);
  const flags = OPEN_FLAGS.PATH | OPEN_FLAGS.NOFOLLOW;
  const link = libc.openPath(`${at.directory}/link`, flags);
  assert.deepEqual(libc.linkTarget(link, "link"), bytes("to/ä"));
  libc.close(link);
  assert.throws(() => libc.linkTarget(at.fd, "directory"), SystemError);
});

Deno.test("what the machine is asked, it answers", async () => {
  assert.equal(libc.effectiveUid(), Deno.uid());
  assert.equal(libc.effectiveGid(), Deno.gid());
  assert.ok([4096, 16_384, 65_536].includes(libc.pageBytes()));
  assert.ok(libc.raiseOpenFileLimit() > 0);
  assert.equal(await libc.unmountLater("/does/not/exist", 0), false);
  assert.ok(libc.unmountDead("/does/not/exist", 0) < 0);
});

Deno.test("errors have names, and those nobody knows have their number", () => {
  assert.equal(errnoName(ERRNO.ESTALE), "ESTALE");
  assert.equal(errnoName(4095), "errno 4095");
});
