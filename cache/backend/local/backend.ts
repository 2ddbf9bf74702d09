/**
 * A local directory as a backend. Its files are the machine's own, so the mount may also open them
 * directly ({@linkcode LocalFiles}): they are never cached and never copied.
 *
 * Deno's file API drops names that are not UTF-8 and rounds times to milliseconds, so names and
 * status go through libc. Links are shown, not followed: the kernel walks them itself, one READLINK
 * at a time.
 */
import type { FileStatus } from "../../platform/file_status.ts";
import type { Libc, Memory } from "../../platform/libc.ts";
import { OPEN_FLAGS } from "../../platform/open_flags.ts";
import {
  type Backend,
  baseName,
  type Content,
  type Entry,
  joinPath,
  type ListPage,
  type ObjectEntry,
  type RangeRead,
} from "../backend.ts";
import { type DirectoryName, type NamedType, parseDirectoryRecords } from "./directory.ts";
import { localEntry } from "./entry.ts";
import { LocalRoot } from "./root.ts";

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

/** Bytes of one getdents64 call: about 1,000 names. */
const NAMES_BYTES = 32 * 1024;
/** Bytes of one read call, which cannot be aborted once it runs. */
const READ_BYTES = 1024 * 1024;
/** Status calls on blocking threads at once. */
const STATUS_LATER_MAX = 16;
const LOOK = OPEN_FLAGS.PATH | OPEN_FLAGS.NOFOLLOW;

/** One local directory. */
export class LocalBackend implements Backend, LocalFiles {
  readonly name: string;
  readonly provider = "local";
  readonly #root: LocalRoot;
  readonly #libc: Libc;

  /** `root` is absolute and need not exist yet. Does no I/O. */
  constructor(name: string, root: string, libc: Libc) {
    this.name = name;
    this.#root = new LocalRoot(name, root, libc);
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
    const fd = await this.#root.open("stat", path, LOOK);
    return fd === null ? null : this.#takeStatus(fd, path);
  }

  /** A file system keeps none. */
  checksum(): Promise<null> {
    return Promise.resolve(null);
  }

  statusCached(path: string): Entry | null | "unknown" {
    const fd = this.#root.openNow("stat", path, LOOK);
    return typeof fd === "number" ? this.#takeStatus(fd, path) : fd;
  }

  async names(directory: string, token: string | null): Promise<NamesPage> {
    const flags = OPEN_FLAGS.RDONLY | OPEN_FLAGS.DIRECTORY;
    const now = this.#root.openNow("list", directory, flags);
    const fd = now === "unknown" ? await this.#root.open("list", directory, flags) : now;
    if (fd === null) return { names: [], next: null };
    try {
      if (token !== null) this.#libc.seekDirectory(fd, BigInt(token));
      const buffer = new Uint8Array(NAMES_BYTES);
      const length = await this.#libc.directoryRecordsLater(fd, buffer);
      if (length < 0) throw this.#root.error("unavailable", "list", directory, "the disk failed");
      const { names, position } = parseDirectoryRecords(buffer.subarray(0, length));
      const shown = names.filter(({ type }) => type !== "other");
      return { names: shown, next: length === 0 ? null : String(position) };
    } finally {
      this.#libc.close(fd);
    }
  }

  async linkTarget(path: string): Promise<Memory> {
    const link = await this.#root.open("stat", path, LOOK);
    if (link === null) {
      throw this.#root.error("changed", "stat", path, "it does not exist any more");
    }
    try {
      if (await this.#root.leadsOut(path)) {
        const reason = "the link leads out of the backend's root";
        throw this.#root.error("denied", "stat", path, reason);
      }
      return this.#libc.linkTarget(link, path);
    } finally {
      this.#libc.close(link);
    }
  }

  async open(path: string): Promise<OpenedFile | null> {
    // NONBLOCK keeps a named pipe that took the file's place from making us wait for its writer.
    const flags = OPEN_FLAGS.RDONLY | OPEN_FLAGS.NOFOLLOW | OPEN_FLAGS.NONBLOCK;
    const fd = await this.#root.open("read", path, flags);
    if (fd === null) return null;
    const status = this.#libc.statusOf(fd, path);
    const entry = localEntry(baseName(path), status);
    if (entry?.kind === "object") return { fd, entry, status };
    this.#libc.close(fd);
    return null;
  }

  statusOfOpen(fd: number, path: string): ObjectEntry {
    const entry = localEntry(baseName(path), this.#libc.statusOf(fd, path));
    if (entry?.kind === "object") return entry;
    throw this.#root.error("changed", "read", path, "it is no longer a file");
  }

  isUnchanged(file: OpenedFile): boolean {
    return this.#libc.isUnchanged(file.fd, file.status);
  }

  async read(range: RangeRead, signal: AbortSignal): Promise<void> {
    const file = await this.open(range.path);
    if (file === null) throw this.#root.error("changed", "read", range.path, "it does not exist");
    try {
      let filled = 0;
      // A call that hangs writes to its own buffer, never to a target its caller gave up.
      const buffer = new Uint8Array(Math.min(READ_BYTES, range.target.length));
      while (filled < range.target.length && file.entry.version === range.version) {
        signal.throwIfAborted();
        const into = buffer.subarray(0, range.target.length - filled);
        const length = await this.#libc.readLater(file.fd, into, range.offset + filled);
        signal.throwIfAborted();
        if (length < 0) {
          throw this.#root.error("unavailable", "read", range.path, "the disk failed");
        }
        if (length === 0) break;
        range.target.set(into.subarray(0, length), filled);
        filled += length;
      }
      if (filled < range.target.length || !this.isUnchanged(file)) {
        throw this.#root.error("changed", "read", range.path, "the file is another version now");
      }
      range.onFilled(filled);
    } finally {
      this.#libc.close(file.fd);
    }
  }

  async put(path: string, content: Content, signal: AbortSignal): Promise<ObjectEntry> {
    const target = `${this.#root.path}/${path}`;
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
      throw this.#root.error("unavailable", "put", path, "it cannot be written", error);
    }
    const entry = await this.stat(path, signal);
    if (entry?.kind === "object") return entry;
    throw this.#root.error("unavailable", "put", path, "it was replaced meanwhile");
  }

  async remove(path: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    try {
      await Deno.remove(`${this.#root.path}/${path}`);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      throw this.#root.error("unavailable", "remove", path, "it cannot be removed", error);
    }
  }

  async copy(from: string, to: string, signal: AbortSignal): Promise<ObjectEntry> {
    const source = await this.open(from);
    if (source === null) throw this.#root.error("not_found", "copy", from, "it does not exist");
    this.#libc.close(source.fd);
    const path = `${this.#root.path}/${from}`;
    return await this.put(to, {
      sizeBytes: source.entry.sizeBytes,
      async *open() {
        await using file = await Deno.open(path);
        yield* file.readable;
      },
    }, signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#root.forget();
    return Promise.resolve();
  }

  #takeStatus(fd: number, path: string): Entry | null {
    try {
      return localEntry(baseName(path), this.#libc.statusOf(fd, path));
    } finally {
      this.#libc.close(fd);
    }
  }
}

/** What a directory record says a name is, where it says so. */
export function namedKind(type: NamedType): Entry["kind"] | null {
  return type === "unknown" || type === "other" ? null : type;
}
