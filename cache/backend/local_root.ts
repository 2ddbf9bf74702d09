/**
 * Opens paths beneath a local root, and never anything outside it: openat2(2) resolves each path
 * from the root's own descriptor and follows no link on the way.
 */
import { encodeName } from "../platform/byte_name.ts";
import { ERRNO, errnoName } from "../platform/errno.ts";
import type { Libc, Memory } from "../platform/libc.ts";
import { OPEN_FLAGS, RESOLVE } from "../platform/open_flags.ts";
import { BackendError, type BackendErrorCode, type BackendOperation } from "./backend.ts";

const BENEATH = RESOLVE.BENEATH | RESOLVE.NO_MAGICLINKS;
const NO_LINKS = BENEATH | RESOLVE.NO_SYMLINKS;

/** The root directory of a local backend. */
export class LocalRoot {
  readonly path: string;
  readonly #backend: string;
  readonly #libc: Libc;
  /** O_PATH descriptor; null until the root is first there, and after it vanished. */
  #fd: number | null = null;

  constructor(backend: string, path: string, libc: Libc) {
    this.path = path;
    this.#backend = backend;
    this.#libc = libc;
  }

  /** A descriptor, null when nothing is there, "unknown" when telling would wait for the disk. */
  openNow(operation: BackendOperation, path: string, flags: number): number | null | "unknown" {
    const resolve = NO_LINKS | RESOLVE.CACHED;
    const fd = this.#libc.openBelow(this.#root(operation, path), pathBytes(path), flags, resolve);
    // EINVAL: RESOLVE_CACHED is newer (Linux 5.12) than openat2 (5.6).
    if (fd === -ERRNO.EAGAIN || fd === -ERRNO.EINVAL) return "unknown";
    return this.#judge(operation, path, fd);
  }

  /** A descriptor, or null when nothing is there. Waits on a blocking thread where it must. */
  async open(operation: BackendOperation, path: string, flags: number): Promise<number | null> {
    const now = this.openNow(operation, path, flags);
    if (now !== "unknown") return now;
    const root = this.#root(operation, path);
    const fd = await this.#libc.openBelowLater(root, pathBytes(path), flags, NO_LINKS);
    if (fd >= 0) return fd;
    // A blocking thread cannot report errno. All that the path touches was just brought into
    // memory, so asking again from here gives the reason without a wait.
    return this.#judge(
      operation,
      path,
      this.#libc.openBelow(root, pathBytes(path), flags, NO_LINKS),
    );
  }

  /** Whether the link at `path` leads out of the root. A link to nothing leads nowhere. */
  async leadsOut(path: string): Promise<boolean> {
    const root = this.#root("stat", path);
    const bytes = pathBytes(path);
    const fd = await this.#libc.openBelowLater(root, bytes, OPEN_FLAGS.PATH, BENEATH);
    if (fd >= 0) {
      this.#libc.close(fd);
      return false;
    }
    const again = this.#libc.openBelow(root, bytes, OPEN_FLAGS.PATH, BENEATH);
    if (again >= 0) this.#libc.close(again);
    return again === -ERRNO.EXDEV;
  }

  /** The root was deleted: it is looked up again by its path from now on. */
  forget(): void {
    if (this.#fd !== null) this.#libc.close(this.#fd);
    this.#fd = null;
  }

  /** An error of this backend. */
  error(
    code: BackendErrorCode,
    operation: BackendOperation,
    path: string,
    reason: string,
    cause?: unknown,
  ): BackendError {
    const options = cause === undefined ? {} : { cause };
    return new BackendError(code, this.#backend, operation, path, reason, null, null, options);
  }

  #judge(operation: BackendOperation, path: string, fd: number): number | null {
    if (fd >= 0) return fd;
    switch (-fd) {
      case ERRNO.ENOENT:
      case ERRNO.ENOTDIR:
      // A link took the place of a directory on the way; the kernel walks it by READLINK.
      case ERRNO.ELOOP:
      case ERRNO.ENAMETOOLONG:
        return null;
      case ERRNO.EACCES:
      case ERRNO.EPERM:
      case ERRNO.EXDEV:
        throw this.error("denied", operation, path, "this user may not open it");
      default:
        throw this.error("unavailable", operation, path, errnoName(-fd));
    }
  }

  #root(operation: BackendOperation, path: string): number {
    if (this.#fd !== null) return this.#fd;
    const fd = this.#libc.openPath(this.path, OPEN_FLAGS.PATH | OPEN_FLAGS.DIRECTORY);
    if (fd < 0) {
      const reason = `its root "${this.path}" cannot be opened (${errnoName(-fd)})`;
      throw this.error("unavailable", operation, path, reason);
    }
    this.#fd = fd;
    return fd;
  }
}

/** `path` relative to the root as openat2 takes it. */
function pathBytes(path: string): Memory {
  const name = encodeName(path === "" ? "." : path);
  const bytes = new Uint8Array(name.length + 1);
  bytes.set(name);
  return bytes;
}
