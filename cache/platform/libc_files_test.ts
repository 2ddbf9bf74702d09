import { deepEqual, equal, ok } from "node:assert/strict";
import { ERRNO } from "./errno.ts";
import { Libc } from "./libc.ts";
import { OPEN_FLAGS } from "./open_flags.ts";

const libc = Libc.open();
const CREATE = OPEN_FLAGS.RDWR | OPEN_FLAGS.CREAT | OPEN_FLAGS.EXCL;

Deno.test("LibcFiles creates, fills, punches and removes a sparse file", async () => {
  const { files } = libc;
  const directory = await Deno.makeTempDir();
  const path = `${directory}/a file`;
  try {
    const fd = await files.openLater(path, CREATE, 0o600);
    ok(fd !== null);
    equal(await files.openLater(path, CREATE, 0o600), null);
    equal(await files.truncateLater(fd, 5 * 2 ** 30), true);
    const bytes = new Uint8Array(128 * 1024).fill(7);
    const offset = 4.5 * 2 ** 30;
    equal(await files.writeAtLater(fd, bytes, offset), bytes.length);
    equal(await files.syncLater(fd), true);
    const status = await files.statusLater(fd);
    deepEqual(
      [status?.type, status?.permissions, status?.sizeBytes, status?.blocks],
      ["file", 0o600, 5 * 2 ** 30, 256],
    );
    const back = new Uint8Array(4);
    equal(await libc.readLater(fd, back, offset + 100), 4);
    deepEqual([...back], [7, 7, 7, 7]);
    equal(await files.punchLater(fd, offset, bytes.length), true);
    equal((await files.statusLater(fd))?.blocks, 0);
    equal(await files.unlinkLater(path), true);
    equal(await files.unlinkLater(path), false);
    await files.closeLater(fd);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("LibcFiles reports what a descriptor does not allow", async () => {
  const { files } = libc;
  equal(await files.statusLater(-1), null);
  equal(await files.writeAtLater(-1, new Uint8Array(1), 0), null);
  equal(await files.truncateLater(-1, 0), false);
  equal(await files.punchLater(-1, 0, 1), false);
  equal(await files.syncLater(-1), false);
  equal(await files.openLater("/", OPEN_FLAGS.RDWR, 0), null);
  equal(files.lock(-1), -ERRNO.EBADF);
});

Deno.test("LibcFiles gives a lock to one open file at a time", async () => {
  const path = await Deno.makeTempFile();
  try {
    const [first, second] = [libc.openPath(path, 0), libc.openPath(path, 0)];
    equal(libc.files.lock(first), 0);
    equal(libc.files.lock(second), -ERRNO.EAGAIN);
    libc.close(first);
    equal(libc.files.lock(second), 0);
    libc.close(second);
  } finally {
    await Deno.remove(path);
  }
});
