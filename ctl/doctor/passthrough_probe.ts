/**
 * Asks the kernel for passthrough as a mount would: a mount of a directory made for it, one INIT,
 * one file registered, and all of it taken away. Nobody else ever gets to use that mount. Message
 * layouts: linux/fuse.h; `mount/fuse` has the protocol proper.
 */
import { ERRNO, SystemError } from "../../cache/platform/errno.ts";
import type { Libc } from "../../cache/platform/libc.ts";
import { OPEN_FLAGS } from "../../cache/platform/open_flags.ts";
import { openProbe } from "./probe_file.ts";

/** What the kernel said. */
export type PassthroughAnswer =
  | { readonly kind: "works" }
  /** INIT offered no passthrough: too old, or built without. */
  | { readonly kind: "not_offered" }
  /** It takes no file of this place. */
  | { readonly kind: "refused"; readonly errno: number }
  /** It could not be asked. */
  | { readonly kind: "not_tried" };

const MS_NOSUID_NODEV_RDONLY = 2 | 4 | 1;
const MNT_DETACH = 2;
const INIT_WAIT_MS = 1_000;
/** FUSE_MIN_READ_BUFFER: the kernel refuses to write a request into less. */
const REQUEST_BYTES_MAX = 8_192;
const IN_HEADER_BYTES = 40;
const OUT_HEADER_BYTES = 16;
const INIT_OUT_BYTES = 64;
const FLAG_INIT_EXT = 1 << 30;
/** FUSE_PASSTHROUGH, bit 37, in the upper half of the flags. */
const FLAG2_PASSTHROUGH = 1 << 5;
/** Files on overlayfs are one level deep, and two is the most there is. */
const STACK_DEPTH_MAX = 2;
const BACKING_OPEN = 0x4010e501;

/** Asks whether files in the directory `below` can be passed through. */
export async function probePassthrough(libc: Libc, below: string): Promise<PassthroughAnswer> {
  const fd = libc.openPath("/dev/fuse", OPEN_FLAGS.RDWR | OPEN_FLAGS.NONBLOCK);
  if (fd < 0) return { kind: "not_tried" };
  const directory = await Deno.makeTempDir({ prefix: "warpdrive-doctor-" });
  let mounted = false;
  try {
    mounted = mountAt(libc, fd, directory);
    return mounted ? await ask(libc, fd, below) : { kind: "not_tried" };
  } finally {
    // Closing the device ends the connection, so the unmount asks nobody.
    libc.close(fd);
    if (mounted) libc.unmountDead(directory, MNT_DETACH);
    await Deno.remove(directory);
  }
}

function mountAt(libc: Libc, fd: number, directory: string): boolean {
  const user = `user_id=${libc.effectiveUid()},group_id=${libc.effectiveGid()}`;
  const options = `fd=${fd},rootmode=40000,${user}`;
  const type = "fuse.warpdrive-doctor";
  try {
    libc.mount("warpdrive-doctor", directory, type, MS_NOSUID_NODEV_RDONLY, options);
    return true;
  } catch (error) {
    // A container may hold the capability and still forbid the call.
    if (error instanceof SystemError) return false;
    throw error;
  }
}

async function ask(libc: Libc, fd: number, below: string): Promise<PassthroughAnswer> {
  await libc.waitReadable(fd, INIT_WAIT_MS);
  const request = new Uint8Array(REQUEST_BYTES_MAX);
  const length = libc.read(fd, request);
  if (length < IN_HEADER_BYTES + 20) return { kind: "not_tried" };
  const init = new DataView(request.buffer);
  const extended = (init.getUint32(IN_HEADER_BYTES + 12, true) & FLAG_INIT_EXT) !== 0;
  const flags2 = extended ? init.getUint32(IN_HEADER_BYTES + 16, true) : 0;
  if ((flags2 & FLAG2_PASSTHROUGH) === 0) return { kind: "not_offered" };
  if (libc.write(fd, initReply(init)) < 0) return { kind: "not_tried" };
  return await register(libc, fd, below);
}

/** Agrees on what the kernel offers of passthrough, and on nothing else. */
function initReply(init: DataView): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(OUT_HEADER_BYTES + INIT_OUT_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setBigUint64(8, init.getBigUint64(8, true), true);
  const body = OUT_HEADER_BYTES;
  view.setUint32(body, init.getUint32(IN_HEADER_BYTES, true), true);
  view.setUint32(body + 4, init.getUint32(IN_HEADER_BYTES + 4, true), true);
  view.setUint32(body + 12, FLAG_INIT_EXT, true);
  view.setUint32(body + 20, 4_096, true); // max_write, which may not be 0
  view.setUint32(body + 24, 1, true); // time_gran
  view.setUint32(body + 32, FLAG2_PASSTHROUGH, true);
  view.setUint32(body + 36, STACK_DEPTH_MAX, true);
  return bytes;
}

async function register(libc: Libc, fd: number, below: string): Promise<PassthroughAnswer> {
  // The checks of that disk say what is wrong with it.
  const probe = await openProbe(below, 0, libc.files).catch(() => null);
  if (probe?.kind !== "open") return { kind: "not_tried" };
  const map = new Uint8Array(16); // struct fuse_backing_map
  new DataView(map.buffer).setInt32(0, probe.fd, true);
  const id = libc.ioctl(fd, BACKING_OPEN, map);
  libc.close(probe.fd);
  if (id > 0) return { kind: "works" };
  return { kind: "refused", errno: id === 0 ? ERRNO.EIO : -id };
}
