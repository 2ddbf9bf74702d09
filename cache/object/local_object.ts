/** Object versions that are files of a local backend: read in place, never cached. */
import { BackendError, type ObjectEntry } from "../backend/backend.ts";
import { isSameFile } from "../backend/local/entry.ts";
import type { LocalFiles, OpenedFile } from "../backend/local/backend.ts";
import { diskTimeout } from "../backend/local/timed.ts";
import type { BufferPool, Lease } from "../fetch/buffer_pool.ts";
import type { ObjectSource, OpenObject } from "./open_object.ts";
import type { Clock } from "../platform/clock.ts";
import { ERRNO, errnoName } from "../platform/errno.ts";
import type { Libc, Memory } from "../platform/libc.ts";
import { TaskGroup } from "../platform/limit.ts";
import { within } from "../platform/within.ts";

const SEEK_DATA = 3; // linux/fs.h
const SEEK_HOLE = 4;

/**
 * What the files of one local backend share.
 *
 * A file that was written to since it was looked up opens all the same, as what it is now: one that
 * grows all the time could otherwise never be opened. Its `entry` tells.
 */
export interface LocalObjectsDeps {
  readonly backend: string;
  readonly files: LocalFiles;
  readonly libc: Libc;
  readonly clock: Clock;
  /** For reads that wait for the disk. */
  readonly buffers: BufferPool;
  /** Longest wait for the disk. */
  readonly timeoutMs: number;
  /** Receives reads that need no waiting; as long as the longest read. */
  readonly scratch: Memory;
}

/** The files of one local backend. */
export class LocalObjects implements ObjectSource {
  readonly #deps: LocalObjectsDeps;

  constructor(deps: LocalObjectsDeps) {
    this.#deps = deps;
  }

  async open(path: string, entry: ObjectEntry): Promise<OpenObject> {
    const { backend, files, libc } = this.#deps;
    const file = await files.open(path);
    if (file === null || !isSameFile(file.entry.version, entry.version)) {
      if (file !== null) libc.close(file.fd);
      const reason = "the file was replaced since it was looked up";
      throw new BackendError("changed", backend, "read", path, reason);
    }
    return new LocalObject(path, file, this.#deps);
  }

  /** The kernel reads ahead on its own disks. */
  prefetch(): void {}

  bring(): Promise<"not kept"> {
    return Promise.resolve("not kept");
  }

  keptBytes(_path: string, { sizeBytes }: ObjectEntry): Promise<number> {
    return Promise.resolve(sizeBytes);
  }
}

class LocalObject implements OpenObject {
  readonly entry: ObjectEntry;
  readonly backingFd: number;
  readonly #path: string;
  readonly #file: OpenedFile;
  readonly #deps: LocalObjectsDeps;
  /** Reads whose caller was told an error before they ended. */
  readonly #abandoned = new TaskGroup(() => undefined);
  /** Reads on a blocking thread; the descriptor is closed after the last. */
  #reading = 0;
  #closed = false;

  constructor(path: string, file: OpenedFile, deps: LocalObjectsDeps) {
    this.entry = file.entry;
    this.backingFd = file.fd;
    this.#path = path;
    this.#file = file;
    this.#deps = deps;
  }

  readNow(offset: number, length: number): Memory | null {
    const { scratch, libc } = this.#deps;
    const bytes = scratch.subarray(0, length);
    const read = libc.readCached(this.#file.fd, bytes, offset);
    // Not in the page cache, only in part, or a file system that cannot tell (EOPNOTSUPP).
    if (read !== length) {
      if (read >= 0 || read === -ERRNO.EAGAIN || read === -ERRNO.EOPNOTSUPP) return null;
      throw this.#error("unavailable", `the disk failed (${errnoName(-read)})`);
    }
    this.#assertUnchanged();
    return bytes;
  }

  async read(offset: number, length: number, signal: AbortSignal): Promise<Lease> {
    const { buffers, backend, timeoutMs, clock } = this.#deps;
    const lease = await buffers.lend(length, signal);
    const filling = this.#fill(lease.bytes, offset);
    try {
      const late = () => diskTimeout(backend, "read", this.#path, timeoutMs);
      await within(filling, timeoutMs, clock, late);
      return lease;
    } catch (error) {
      // A call that hangs still writes to the buffer: it goes back only when the call is over.
      this.#abandoned.add(filling.finally(lease.release));
      throw error;
    }
  }

  seek(offset: number, whence: "data" | "hole"): number {
    const found = this.#deps.libc.seek(
      this.#file.fd,
      offset,
      whence === "data" ? SEEK_DATA : SEEK_HOLE,
    );
    // ENXIO: only a hole follows.
    return found >= 0 ? found : this.entry.sizeBytes;
  }

  status(): ObjectEntry {
    return this.#deps.files.statusOfOpen(this.#file.fd, this.#path);
  }

  passedThrough(): void {}

  close(): void {
    this.#closed = true;
    this.#closeWhenIdle();
  }

  async #fill(bytes: Memory, offset: number): Promise<void> {
    // Closed while it waited for a buffer.
    if (this.#closed) throw this.#error("unavailable", "it was closed");
    this.#reading += 1;
    try {
      for (let filled = 0; filled < bytes.length;) {
        const rest = bytes.subarray(filled);
        const read = await this.#deps.libc.readLater(this.#file.fd, rest, offset + filled);
        if (read < 0) throw this.#error("unavailable", "the disk failed");
        if (read === 0) throw this.#error("changed", "the file became shorter");
        filled += read;
      }
      this.#assertUnchanged();
    } finally {
      this.#reading -= 1;
      this.#closeWhenIdle();
    }
  }

  /** A descriptor closed under a read could by then be another file's. */
  #closeWhenIdle(): void {
    if (this.#closed && this.#reading === 0) this.#deps.libc.close(this.#file.fd);
  }

  /** Checked after the bytes were copied: unchanged now means unchanged then. */
  #assertUnchanged(): void {
    if (!this.#deps.files.isUnchanged(this.#file)) {
      throw this.#error("changed", "the file changed while it was open");
    }
  }

  #error(code: "changed" | "unavailable", reason: string): BackendError {
    return new BackendError(code, this.#deps.backend, "read", this.#path, reason);
  }
}
