/**
 * Opens paths beneath a local root, and never anything outside it: openat2(2) resolves each path
 * from the root's own descriptor and follows no link on the way.
 */
import { encodeName } from "../../platform/byte_name.ts";
import { ERRNO, errnoName } from "../../platform/errno.ts";
import type { Libc, Memory } from "../../platform/libc.ts";
import { OPEN_FLAGS, RESOLVE } from "../../platform/open_flags.ts";
import { BackendError, type BackendErrorCode, type BackendOperation } from "../backend.ts";

const BENEATH = RESOLVE.BENEATH | RESOLVE.NO_MAGICLINKS;
const NO_LINKS = BENEATH | RESOLVE.NO_SYMLINKS;

const NOT_OPEN = "this user may not open it";
const RIGHT_HINT = "Give this user the right to it, or run as a user who has it";

/** Why the root at `path` could not be opened, and what to do. */
export function judgeRoot(
  path: string,
  errno: number,
): Pick<BackendError, "code" | "reason" | "hint"> {
  const root = `its root "${path}"`;
  // Not `not_found`: the disk it is on may be mounted later, and it serves from then on.
  const code = "unavailable";
  const hint = "Correct root, or create the directory";
  switch (errno) {
    case ERRNO.ENOENT:
      return { code, reason: `${root} does not exist`, hint };
    case ERRNO.ENOTDIR:
      return { code, reason: `${root} is no directory`, hint };
    case ERRNO.EACCES:
    case ERRNO.EPERM:
      return { code: "denied", reason: `this user may not open ${root}`, hint: RIGHT_HINT };
    default: {
      const reason = `${root} cannot be opened (${errnoName(errno)})`;
      return { code, reason, hint: "Check the disk that root is on" };
    }
  }
}

/** The root directory of a local backend. */
export class LocalRoot {
  readonly path: string;
  readonly #backend: string;
  readonly #libc: Libc;
  /** O_PATH descriptor; null until the root is first there, and after it vanished. */
  #fd: number | null = null;
  /** Calls on blocking threads that resolve paths from a root's descriptor. */
  #resolving = 0;
  /** Descriptors of roots that vanished meanwhile, closed after the last of those calls. */
  readonly #vanished: number[] = [];

  constructor(backend: string, path: string, libc: Libc) {
    this.path = path;
    this.#backend = backend;
    this.#libc = libc;
  }

  /** A descriptor, null when nothing is there, "unknown" when telling would wait for the disk. */
  openNow(operation: BackendOperation, path: string, flags: number): number | null | "unknown" {
    // "." of a deleted directory can still be opened.
    if (path === "") this.#noticeLoss();
    const resolve = NO_LINKS | RESOLVE.CACHED;
    const fd = this.#libc.openBelow(this.#root(operation, path), pathBytes(path), flags, resolve);
    // EINVAL: RESOLVE_CACHED is newer (Linux 5.12) than openat2 (5.6).
    if (fd === -ERRNO.EAGAIN || fd === -ERRNO.EINVAL) return "unknown";
    if (fd === -ERRNO.ENOENT && this.#noticeLoss()) return this.openNow(operation, path, flags);
    return this.#judge(operation, path, fd);
  }

  /** A descriptor, or null when nothing is there. Waits on a blocking thread where it must. */
  async open(operation: BackendOperation, path: string, flags: number): Promise<number | null> {
    const now = this.openNow(operation, path, flags);
    if (now !== "unknown") return now;
    const root = this.#root(operation, path);
    const fd = await this.#openLater(root, path, flags, NO_LINKS);
    if (fd >= 0) return fd;
    // A blocking thread cannot report errno. All that the path touches was just brought into
    // memory, so asking again from here gives the reason without a wait.
    const bytes = pathBytes(path);
    const again = this.#libc.openBelow(this.#root(operation, path), bytes, flags, NO_LINKS);
    if (again === -ERRNO.ENOENT && this.#noticeLoss()) {
      return await this.open(operation, path, flags);
    }
    return this.#judge(operation, path, again);
  }

  /** Whether the link at `path` leads out of the root. A link to nothing leads nowhere. */
  async leadsOut(path: string): Promise<boolean> {
    const fd = await this.#openLater(this.#root("stat", path), path, OPEN_FLAGS.PATH, BENEATH);
    if (fd >= 0) {
      this.#libc.close(fd);
      return false;
    }
    const root = this.#root("stat", path);
    const again = this.#libc.openBelow(root, pathBytes(path), OPEN_FLAGS.PATH, BENEATH);
    if (again >= 0) this.#libc.close(again);
    return again === -ERRNO.EXDEV;
  }

  /** Gives the root's descriptor back; the next call looks the root up by its path again. */
  forget(): void {
    if (this.#fd !== null) this.#vanished.push(this.#fd);
    this.#fd = null;
    this.#closeVanished();
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

  /** Whether the root was deleted; it is looked up again by its path from then on. */
  #noticeLoss(): boolean {
    if (this.#fd === null || this.#libc.statusOf(this.#fd, this.path).links > 0) return false;
    this.forget();
    return true;
  }

  async #openLater(root: number, path: string, flags: number, resolve: number): Promise<number> {
    this.#resolving += 1;
    try {
      return await this.#libc.openBelowLater(root, pathBytes(path), flags, resolve);
    } finally {
      this.#resolving -= 1;
      this.#closeVanished();
    }
  }

  /** A descriptor closed under a call could by then be another directory's. */
  #closeVanished(): void {
    if (this.#resolving > 0) return;
    for (const fd of this.#vanished.splice(0)) this.#libc.close(fd);
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
        if (path === "") throw this.#rootError(operation, path, -fd);
        throw new BackendError("denied", this.#backend, operation, path, NOT_OPEN, RIGHT_HINT);
      case ERRNO.EXDEV:
        throw this.error("denied", operation, path, NOT_OPEN);
      default:
        throw this.error("unavailable", operation, path, errnoName(-fd));
    }
  }

  #root(operation: BackendOperation, path: string): number {
    if (this.#fd !== null) return this.#fd;
    const fd = this.#libc.openPath(this.path, OPEN_FLAGS.PATH | OPEN_FLAGS.DIRECTORY);
    if (fd < 0) throw this.#rootError(operation, path, -fd);
    this.#fd = fd;
    return fd;
  }

  #rootError(operation: BackendOperation, path: string, errno: number): BackendError {
    const { code, reason, hint } = judgeRoot(this.path, errno);
    return new BackendError(code, this.#backend, operation, path, reason, hint);
  }
}

/** `path` relative to the root as openat2 takes it. */
function pathBytes(path: string): Memory {
  const name = encodeName(path === "" ? "." : path);
  const bytes = new Uint8Array(name.length + 1);
  bytes.set(name);
  return bytes;
}
