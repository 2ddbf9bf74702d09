/**
 * A local directory as a backend. Its files are the machine's own, so the mount may also open them
 * directly ({@linkcode LocalFiles}): they are never cached and never copied.
 *
 * Deno's file API drops names that are not UTF-8 and rounds times to milliseconds, so names and
 * status go through libc. Every path is resolved by openat2(2) beneath the root and without
 * following links: the kernel walks links itself, one READLINK at a time.
 */
import { encodeName } from "../platform/byte_name.ts";
import { ERRNO, errnoName } from "../platform/errno.ts";
import type { FileStatus } from "../platform/file_status.ts";
import type { Libc, Memory } from "../platform/libc.ts";
import { OPEN_FLAGS, RESOLVE } from "../platform/open_flags.ts";
import {
  type Backend,
  BackendError,
  type BackendErrorCode,
  type BackendOperation,
  baseName,
  type Content,
  type Entry,
  joinPath,
  type ListPage,
  type ObjectEntry,
  type RangeRead,
} from "./backend.ts";
import { type DirectoryName, type NamedType, parseDirectoryRecords } from "./local_directory.ts";

/** A file of a local backend, opened for reading. */
export interface OpenedFile {
  readonly fd: number;
  /** What it was when opened. */
  readonly entry: ObjectEntry;
  readonly status: FileStatus;
}

/** Names of a local directory, one page at a time. */
export interface NamesPage {
  readonly names: readonly DirectoryName[];
  readonly next: string | null;
}

/** Direct access to the files behind a backend, for a mount on the same machine. */
export interface LocalFiles {
  /** What is at `path`, null for nothing, or "unknown" when telling would wait for the disk. */
  statusCached(path: string): Entry | null | "unknown";
  /** Names below `directory`, without their status. */
  names(directory: string, token: string | null): Promise<NamesPage>;
  /** Target of the link at `path`; `denied` when it leads out of the root. */
  linkTarget(path: string): Promise<Memory>;
  /** Opens the file at `path`, or returns null when it is no file any more. */
  open(path: string): Promise<OpenedFile | null>;
  /** What an open file is now. */
  statusOfOpen(fd: number, path: string): ObjectEntry;
  /** Whether an open file is still the version it was when opened. */
  isUnchanged(file: OpenedFile): boolean;
}

/** Bytes of one getdents64 call: about 4,000 names. */
const NAMES_BYTES = 128 * 1024;
/** Status calls on blocking threads at once. */
const STATUS_LATER_MAX = 16;
const BENEATH = RESOLVE.BENEATH | RESOLVE.NO_MAGICLINKS;

/** One local directory. */
export class LocalBackend implements Backend, LocalFiles {
  readonly name: string;
  readonly provider = "local";
  readonly #root: string;
  readonly #libc: Libc;
  /** O_PATH descriptor of the root; null until it is first there, and after it vanished. */
  #rootFd: number | null = null;

  /** `root` is absolute and need not exist yet. Does no I/O. */
  constructor(name: string, root: string, libc: Libc) {
    this.name = name;
    this.#root = root;
    this.#libc = libc;
  }

  async list(directory: string, token: string | null, signal: AbortSignal): Promise<ListPage> {
    const page = await this.names(directory, token);
    const entries: Entry[] = [];
    for (let start = 0; start < page.names.length; start += STATUS_LATER_MAX) {
      const batch = page.names.slice(start, start + STATUS_LATER_MAX);
      const found = await Promise.all(
        batch.map(({ name }) => this.stat(joinPath(directory, name), signal)),
      );
      entries.push(...found.filter((entry) => entry !== null));
    }
    return { entries, next: page.next, unlistable: 0 };
  }

  async stat(path: string, signal: AbortSignal): Promise<Entry | null> {
    signal.throwIfAborted();
    const cached = this.statusCached(path);
    if (cached !== "unknown") return cached;
    const fd = await this.#openLater("stat", path, OPEN_FLAGS.PATH | OPEN_FLAGS.NOFOLLOW);
    return fd === null ? null : this.#takeStatus(fd, path);
  }

  statusCached(path: string): Entry | null | "unknown" {
    const flags = OPEN_FLAGS.PATH | OPEN_FLAGS.NOFOLLOW;
    const fd = this.#openCached("stat", path, flags);
    if (typeof fd !== "number") return fd;
    return this.#takeStatus(fd, path);
  }

  async names(directory: string, token: string | null): Promise<NamesPage> {
    const fd = await this.#open("list", directory, OPEN_FLAGS.RDONLY | OPEN_FLAGS.DIRECTORY);
    if (fd === null) return { names: [], next: null };
    try {
      if (token !== null) this.#libc.seekDirectory(fd, BigInt(token));
      const buffer = new Uint8Array(NAMES_BYTES);
      const length = await this.#libc.directoryRecordsLater(fd, buffer);
      if (length < 0) throw this.#error("unavailable", "list", directory, "it cannot be read");
      const { names, position } = parseDirectoryRecords(buffer.subarray(0, length));
      const shown = names.filter(({ type }) => type !== "other");
      return { names: shown, next: length === 0 ? null : String(position) };
    } finally {
      this.#libc.close(fd);
    }
  }

  async linkTarget(path: string): Promise<Memory> {
    const flags = OPEN_FLAGS.PATH | OPEN_FLAGS.NOFOLLOW;
    const link = await this.#open("stat", path, flags);
    if (link === null) throw this.#error("not_found", "stat", path, "it does not exist");
    try {
      // Following it once tells whether it stays inside; where it leads to nothing, it does.
      const followed = await this.#libc.openBelowLater(
        this.#rootDescriptor("stat", path),
        pathBytes(path),
        OPEN_FLAGS.PATH,
        BENEATH,
      );
      if (followed >= 0) this.#libc.close(followed);
      else if (this.#leavesRoot(path)) {
        const reason = "the link leads out of the backend's root";
        throw this.#error("denied", "stat", path, reason);
      }
      return this.#libc.linkTarget(link, path);
    } finally {
      this.#libc.close(link);
    }
  }

  async open(path: string): Promise<OpenedFile | null> {
    // NONBLOCK keeps a named pipe that took the file's place from making us wait for its writer.
    const flags = OPEN_FLAGS.RDONLY | OPEN_FLAGS.NOFOLLOW | OPEN_FLAGS.NONBLOCK;
    const fd = await this.#open("read", path, flags);
    if (fd === null) return null;
    const status = this.#libc.statusOf(fd, path);
    const entry = toEntry(baseName(path), status);
    if (entry?.kind === "object") return { fd, entry, status };
    this.#libc.close(fd);
    return null;
  }

  statusOfOpen(fd: number, path: string): ObjectEntry {
    const entry = toEntry(baseName(path), this.#libc.statusOf(fd, path));
    if (entry?.kind === "object") return entry;
    throw this.#error("changed", "read", path, "it is no longer a file");
  }

  isUnchanged(file: OpenedFile): boolean {
    return this.#libc.isUnchanged(file.fd, file.status);
  }

  async read(range: RangeRead, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const file = await this.open(range.path);
    if (file === null) throw this.#error("changed", "read", range.path, "it does not exist");
    try {
      let filled = 0;
      while (filled < range.target.length && file.entry.version === range.version) {
        const rest = range.target.subarray(filled);
        const length = await this.#libc.readLater(file.fd, rest, range.offset + filled);
        if (length < 0) throw this.#error("unavailable", "read", range.path, "the disk failed");
        if (length === 0) break;
        filled += length;
      }
      if (filled < range.target.length || !this.isUnchanged(file)) {
        throw this.#error("changed", "read", range.path, "the file is another version now");
      }
      range.onFilled(filled);
    } finally {
      this.#libc.close(file.fd);
    }
  }

  async put(path: string, content: Content, signal: AbortSignal): Promise<ObjectEntry> {
    const target = `${this.#root}/${path}`;
    const parent = target.slice(0, target.lastIndexOf("/"));
    const temporary = `${parent}/.warpdrive-${crypto.randomUUID()}`;
    try {
      await Deno.mkdir(parent, { recursive: true });
      await using file = await Deno.open(temporary, { write: true, createNew: true });
      for await (const chunk of content.open()) {
        signal.throwIfAborted();
        for (let written = 0; written < chunk.length;) {
          written += await file.write(chunk.subarray(written));
        }
      }
      await Deno.rename(temporary, target);
    } catch (error) {
      await Deno.remove(temporary).catch(() => undefined);
      signal.throwIfAborted();
      throw this.#error("unavailable", "put", path, "it cannot be written", error);
    }
    return await this.#object("put", path, signal);
  }

  async remove(path: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    try {
      await Deno.remove(`${this.#root}/${path}`);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      throw this.#error("unavailable", "remove", path, "it cannot be removed", error);
    }
  }

  async copy(from: string, to: string, signal: AbortSignal): Promise<ObjectEntry> {
    const source = await this.open(from);
    if (source === null) throw this.#error("not_found", "copy", from, "it does not exist");
    this.#libc.close(source.fd);
    const root = this.#root;
    return await this.put(to, {
      sizeBytes: source.entry.sizeBytes,
      async *open() {
        await using file = await Deno.open(`${root}/${from}`);
        yield* file.readable;
      },
    }, signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    if (this.#rootFd !== null) this.#libc.close(this.#rootFd);
    this.#rootFd = null;
    return Promise.resolve();
  }

  async #object(
    operation: BackendOperation,
    path: string,
    signal: AbortSignal,
  ): Promise<ObjectEntry> {
    const entry = await this.stat(path, signal);
    if (entry?.kind === "object") return entry;
    throw this.#error("unavailable", operation, path, "it was replaced meanwhile");
  }

  /** Opens below the root; null when nothing is there. Waits only where the disk is needed. */
  async #open(operation: BackendOperation, path: string, flags: number): Promise<number | null> {
    const fd = this.#openCached(operation, path, flags);
    return fd === "unknown" ? await this.#openLater(operation, path, flags) : fd;
  }

  #openCached(
    operation: BackendOperation,
    path: string,
    flags: number,
  ): number | null | "unknown" {
    const root = this.#rootDescriptor(operation, path);
    const resolve = BENEATH | RESOLVE.NO_SYMLINKS | RESOLVE.CACHED;
    return this.#judge(
      operation,
      path,
      this.#libc.openBelow(root, pathBytes(path), flags, resolve),
    );
  }

  async #openLater(
    operation: BackendOperation,
    path: string,
    flags: number,
  ): Promise<number | null> {
    const root = this.#rootDescriptor(operation, path);
    const resolve = BENEATH | RESOLVE.NO_SYMLINKS;
    const fd = await this.#libc.openBelowLater(root, pathBytes(path), flags, resolve);
    if (fd >= 0) return fd;
    // A blocking thread cannot report errno. What it found is in the dentry cache now, absence
    // included, so asking again without waiting gives the reason.
    const again = this.#openCached(operation, path, flags);
    if (again !== "unknown") return again;
    throw this.#error("unavailable", operation, path, "it cannot be opened");
  }

  /** A descriptor, null for nothing there, "unknown" for would wait; throws for the rest. */
  #judge(operation: BackendOperation, path: string, fd: number): number | null | "unknown" {
    if (fd >= 0) return fd;
    switch (-fd) {
      case ERRNO.ENOENT:
      case ERRNO.ENOTDIR:
      // A link took the place of a directory on the way; the kernel walks it by READLINK.
      case ERRNO.ELOOP:
      case ERRNO.ENAMETOOLONG:
        return null;
      case ERRNO.EAGAIN:
      // EINVAL: RESOLVE_CACHED is newer (Linux 5.12) than openat2 (5.6).
      case ERRNO.EINVAL:
        return "unknown";
      case ERRNO.EACCES:
      case ERRNO.EPERM:
      case ERRNO.EXDEV:
        throw this.#error("denied", operation, path, "this user may not open it");
      default:
        throw this.#error("unavailable", operation, path, errnoName(-fd));
    }
  }

  #leavesRoot(path: string): boolean {
    const root = this.#rootDescriptor("stat", path);
    const resolve = BENEATH | RESOLVE.CACHED;
    const fd = this.#libc.openBelow(root, pathBytes(path), OPEN_FLAGS.PATH, resolve);
    if (fd >= 0) this.#libc.close(fd);
    return fd === -ERRNO.EXDEV;
  }

  #takeStatus(fd: number, path: string): Entry | null {
    try {
      const status = this.#libc.statusOf(fd, path);
      if (path === "" && status.links === 0) this.#forgetRoot();
      return toEntry(baseName(path), status);
    } finally {
      this.#libc.close(fd);
    }
  }

  #rootDescriptor(operation: BackendOperation, path: string): number {
    if (this.#rootFd !== null) return this.#rootFd;
    const fd = this.#libc.openPath(this.#root, OPEN_FLAGS.PATH | OPEN_FLAGS.DIRECTORY);
    if (fd < 0) {
      const reason = `its root "${this.#root}" cannot be opened (${errnoName(-fd)})`;
      throw this.#error("unavailable", operation, path, reason);
    }
    this.#rootFd = fd;
    return fd;
  }

  /** The root directory was deleted: look it up again by name from now on. */
  #forgetRoot(): void {
    if (this.#rootFd !== null) this.#libc.close(this.#rootFd);
    this.#rootFd = null;
  }

  #error(
    code: BackendErrorCode,
    operation: BackendOperation,
    path: string,
    reason: string,
    cause?: unknown,
  ): BackendError {
    const options = cause === undefined ? {} : { cause };
    return new BackendError(code, this.name, operation, path, reason, null, null, options);
  }
}

/** What a directory record says a name is, where it says so. */
export function namedKind(type: NamedType): Entry["kind"] | null {
  return type === "unknown" || type === "other" ? null : type;
}

/** `path` relative to the root as openat2 takes it. */
function pathBytes(path: string): Memory {
  const name = encodeName(path === "" ? "." : path);
  const bytes = new Uint8Array(name.length + 1);
  bytes.set(name);
  return bytes;
}

/** The entry that `status` describes; null for pipes, sockets and devices, which are not shown. */
function toEntry(name: string, status: FileStatus): Entry | null {
  const { permissions, uid, gid, links, blocks, accessed, changed, modified, sizeBytes } = status;
  const posix = { permissions, uid, gid, links, blocks, accessed, changed };
  switch (status.type) {
    case "file":
      return {
        kind: "object",
        name,
        sizeBytes,
        modified,
        version: fileVersion(status),
        etag: null,
        posix,
      };
    case "directory":
      return { kind: "directory", name, modified, posix };
    case "symlink":
      return { kind: "symlink", name, sizeBytes, modified, posix };
    case "other":
      return null;
  }
}

/** (dev, ino, size, mtime, ctime): changes with every write that a file system reports. */
function fileVersion(status: FileStatus): string {
  const { deviceMajor, deviceMinor, inode, sizeBytes, modified, changed } = status;
  return [
    `${deviceMajor}.${deviceMinor}`,
    inode.toString(36),
    sizeBytes.toString(36),
    `${modified.seconds.toString(36)}.${modified.nanoseconds.toString(36)}`,
    `${changed.seconds.toString(36)}.${changed.nanoseconds.toString(36)}`,
  ].join("-");
}
