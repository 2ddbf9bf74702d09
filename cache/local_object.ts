/** Object versions that are files of a local backend: read in place, never cached. */
import { BackendError, type ObjectEntry } from "./backend/backend.ts";
import type { LocalFiles, OpenedFile } from "./backend/local.ts";
import type { BufferPool, Lease } from "./buffer_pool.ts";
import type { ObjectSource, OpenObject } from "./open_object.ts";
import { ERRNO, errnoName } from "./platform/errno.ts";
import type { Libc, Memory } from "./platform/libc.ts";

const SEEK_DATA = 3; // linux/fs.h
const SEEK_HOLE = 4;

/** The files of one local backend. */
export class LocalObjects implements ObjectSource {
  readonly #backend: string;
  readonly #files: LocalFiles;
  readonly #libc: Libc;
  readonly #buffers: BufferPool;
  /** Receives reads that need no waiting. */
  readonly #scratch: Memory;

  constructor(
    backend: string,
    files: LocalFiles,
    libc: Libc,
    buffers: BufferPool,
    readBytesMax: number,
  ) {
    this.#backend = backend;
    this.#files = files;
    this.#libc = libc;
    this.#buffers = buffers;
    this.#scratch = new Uint8Array(readBytesMax);
  }

  async open(path: string, entry: ObjectEntry): Promise<OpenObject> {
    const file = await this.#files.open(path);
    if (file === null || file.entry.version !== entry.version) {
      if (file !== null) this.#libc.close(file.fd);
      const reason = "the file was replaced or changed since it was looked up";
      throw new BackendError("changed", this.#backend, "read", path, reason);
    }
    return new LocalObject(
      this.#backend,
      path,
      file,
      this.#files,
      this.#libc,
      this.#buffers,
      this.#scratch,
    );
  }
}

class LocalObject implements OpenObject {
  readonly entry: ObjectEntry;
  readonly backingFd: number;
  readonly #backend: string;
  readonly #path: string;
  readonly #file: OpenedFile;
  readonly #files: LocalFiles;
  readonly #libc: Libc;
  readonly #buffers: BufferPool;
  readonly #scratch: Memory;

  constructor(
    backend: string,
    path: string,
    file: OpenedFile,
    files: LocalFiles,
    libc: Libc,
    buffers: BufferPool,
    scratch: Memory,
  ) {
    this.entry = file.entry;
    this.backingFd = file.fd;
    this.#backend = backend;
    this.#path = path;
    this.#file = file;
    this.#files = files;
    this.#libc = libc;
    this.#buffers = buffers;
    this.#scratch = scratch;
  }

  readNow(offset: number, length: number): Memory | null {
    const bytes = this.#scratch.subarray(0, length);
    const read = this.#libc.readCached(this.#file.fd, bytes, offset);
    // Not in the page cache, only in part, or a file system that cannot tell (EOPNOTSUPP).
    if (read !== length) {
      if (read >= 0 || read === -ERRNO.EAGAIN || read === -ERRNO.EOPNOTSUPP) return null;
      throw this.#error("unavailable", `the disk failed (${errnoName(-read)})`);
    }
    this.#assertUnchanged();
    return bytes;
  }

  async read(offset: number, length: number, signal: AbortSignal): Promise<Lease> {
    const lease = await this.#buffers.lend(length, signal);
    try {
      for (let filled = 0; filled < length;) {
        const rest = lease.bytes.subarray(filled);
        const read = await this.#libc.readLater(this.#file.fd, rest, offset + filled);
        if (read < 0) throw this.#error("unavailable", "the disk failed");
        if (read === 0) throw this.#error("changed", "the file became shorter");
        filled += read;
      }
      this.#assertUnchanged();
      return lease;
    } catch (error) {
      lease.release();
      throw error;
    }
  }

  seek(offset: number, whence: "data" | "hole"): number {
    const found = this.#libc.seek(
      this.#file.fd,
      offset,
      whence === "data" ? SEEK_DATA : SEEK_HOLE,
    );
    // ENXIO: only a hole follows.
    return found >= 0 ? found : this.entry.sizeBytes;
  }

  status(): ObjectEntry {
    return this.#files.statusOfOpen(this.#file.fd, this.#path);
  }

  close(): void {
    this.#libc.close(this.#file.fd);
  }

  /** Checked after the bytes were copied: unchanged now means unchanged then. */
  #assertUnchanged(): void {
    if (!this.#files.isUnchanged(this.#file)) {
      throw this.#error("changed", "the file changed while it was open");
    }
  }

  #error(code: "changed" | "unavailable", reason: string): BackendError {
    return new BackendError(code, this.#backend, "read", this.#path, reason);
  }
}
