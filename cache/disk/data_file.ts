/**
 * The sparse file that holds the bytes of one object version, each at its own offset.
 *
 *     create:  unlink leftovers ▸ create ▸ set size ▸ write … write
 *     open:    open ▸ fstat: a regular file of the object's size, else `gone`
 *
 * Invariants:
 * 1. A file has its full size before its first byte is written, so that one which was cut or
 *    replaced shows by its size.
 * 2. `readFd` is read-only and never the descriptor that writes: the kernel opens it again on
 *    behalf of passthrough readers.
 * 3. A descriptor is closed after the last call on it has returned. A call cannot be aborted, and
 *    its number could by then be another file's.
 * 4. A file is never written through a link, and leftovers are unlinked, not cut: a reader that
 *    outlived the last daemon may still map them.
 */
import { CacheDiskError } from "./cache_disk_error.ts";
import { diskFailure } from "./disk_failure.ts";
import type { DiskThreads } from "./disk_threads.ts";
import type { StepHook } from "./durable_step.ts";
import { assert } from "../platform/assert.ts";
import type { FileStatus } from "../platform/file_status.ts";
import type { Libc, Memory } from "../platform/libc.ts";
import type { TaskGroup } from "../platform/limit.ts";
import { OPEN_FLAGS } from "../platform/open_flags.ts";

/** NONBLOCK keeps an open from waiting when a FIFO was put where the file should be. */
const READ = OPEN_FLAGS.RDONLY | OPEN_FLAGS.NOFOLLOW | OPEN_FLAGS.NONBLOCK;
const WRITE = OPEN_FLAGS.WRONLY | OPEN_FLAGS.NOFOLLOW | OPEN_FLAGS.NONBLOCK;
const CREATE = WRITE | OPEN_FLAGS.CREAT | OPEN_FLAGS.EXCL;
const PERMISSIONS = 0o600;

/** What all data files of a cache share. */
export interface DataFileDeps {
  readonly libc: Libc;
  readonly threads: DiskThreads;
  /** Owns closing, which nobody waits for. */
  readonly tasks: TaskGroup;
  readonly step: StepHook;
}

/**
 * An open data file. Methods reject with a `CacheDiskError`, or with the reason of their signal
 * when it aborts while they wait for a thread. Once a call runs, its promise settles when the disk
 * has answered, however long that takes: a caller with less patience stops waiting, but leaves the
 * memory it passed alone until then.
 */
export class DataFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** Descriptor to read from and to hand to the kernel; valid until `close`. */
  readonly readFd: number;
  readonly #deps: DataFileDeps;
  /** Of the file, so that another one in its place is noticed. */
  readonly inode: bigint;
  /** Opened by the first write; a complete file needs none. */
  #writer: Promise<number> | null;
  /** Calls under way on either descriptor. */
  #calls = 0;
  #state: "open" | "closing" | "closed" = "open";

  private constructor(
    path: string,
    sizeBytes: number,
    reader: Reader,
    writer: number | null,
    deps: DataFileDeps,
  ) {
    this.path = path;
    this.sizeBytes = sizeBytes;
    this.readFd = reader.fd;
    this.inode = reader.inode;
    this.#writer = writer === null ? null : Promise.resolve(writer);
    this.#deps = deps;
  }

  /** Creates the file in place of whatever has its name. */
  static async create(
    path: string,
    sizeBytes: number,
    deps: DataFileDeps,
    signal: AbortSignal,
  ): Promise<DataFile> {
    return await deps.threads.run(path, signal, async () => {
      const writer = await createWriter(path, deps);
      try {
        deps.step("size file");
        if (!await deps.libc.files.truncateLater(writer, sizeBytes)) {
          throw await diskFailure("set the size of", path, "existing");
        }
        return new DataFile(path, sizeBytes, await openReader(path, sizeBytes, deps), writer, deps);
      } catch (error) {
        await deps.libc.files.closeLater(writer);
        await deps.libc.files.unlinkLater(path);
        throw error;
      }
    });
  }

  /** Opens the file of an object of `sizeBytes`; `gone` when that is not what is there. */
  static async open(
    path: string,
    sizeBytes: number,
    deps: DataFileDeps,
    signal: AbortSignal,
  ): Promise<DataFile> {
    const reader = await deps.threads.run(path, signal, () => openReader(path, sizeBytes, deps));
    return new DataFile(path, sizeBytes, reader, null, deps);
  }

  /** Writes all of `bytes` at `offset`. */
  async writeLater(bytes: Memory, offset: number, signal: AbortSignal): Promise<void> {
    assert(offset + bytes.length <= this.sizeBytes, "A write lies within its object");
    await this.#call("write", signal, async ({ files }) => {
      const fd = await this.#openWriter();
      this.#deps.step("write data");
      for (let done = 0; done < bytes.length;) {
        const written = await files.writeAtLater(fd, bytes.subarray(done), offset + done);
        if (written === null || written === 0) {
          throw await diskFailure("write", this.path, "existing");
        }
        done += written;
      }
    });
  }

  /**
   * Bytes read at `offset` without waiting, or a negated errno: −EAGAIN when they are not in the
   * page cache. Fewer than asked where only some are, or where the file was cut.
   */
  readCached(into: Memory, offset: number): number {
    assert(this.#state === "open", "A closed data file is not read");
    return this.#deps.libc.readCached(this.readFd, into, offset);
  }

  /** Reads at `offset`; bytes read, fewer than asked only where the file was cut. */
  async readLater(into: Memory, offset: number, signal: AbortSignal): Promise<number> {
    return await this.#call("read", signal, async (libc) => {
      let done = 0;
      while (done < into.length) {
        const read = await libc.readLater(this.readFd, into.subarray(done), offset + done);
        if (read < 0) throw await diskFailure("read", this.path, "existing");
        if (read === 0) break;
        done += read;
      }
      return done;
    });
  }

  /** Gives back the space of a range; never of one that passthrough readers may see. */
  async punchLater(offset: number, length: number, signal: AbortSignal): Promise<void> {
    await this.#call("punch", signal, async ({ files }) => {
      const fd = await this.#openWriter();
      this.#deps.step("punch data");
      if (await files.punchLater(fd, offset, length)) return;
      throw await diskFailure("punch", this.path, "existing");
    });
  }

  /** Calls that the disk of the file has answered, on whatever file. */
  get diskAnswers(): number {
    return this.#deps.threads.answered;
  }

  /** Whether the file still has its name and its size; to be asked at every open of the object. */
  async isIntact(signal: AbortSignal): Promise<boolean> {
    const status = await this.#status(signal);
    return status.links > 0 && isWhole(status, this.sizeBytes);
  }

  /**
   * Changes whenever somebody writes, cuts, grows or renames the file, or puts another one in its
   * place: to be kept when all of it was verified, and compared when it is opened again.
   */
  async fingerprint(signal: AbortSignal): Promise<string> {
    const { inode, sizeBytes, changed } = await this.#status(signal);
    return `${inode} ${sizeBytes} ${changed.seconds}.${changed.nanoseconds}`;
  }

  /** Space the file takes on disk, in bytes. */
  async allocatedBytes(signal: AbortSignal): Promise<number> {
    return (await this.#status(signal)).blocks * 512;
  }

  /** Removes its name; the space comes back when nobody has it open any more. */
  async unlinkLater(signal: AbortSignal): Promise<void> {
    await this.#call("unlink", signal, () => unlinkNow(this.path, this.#deps));
  }

  /** Ends the use of the file; descriptors are closed when the calls under way have returned. */
  close(): void {
    assert(this.#state === "open", "A data file is closed once");
    this.#state = "closing";
    this.#closeWhenIdle();
  }

  async #status(signal: AbortSignal): Promise<FileStatus> {
    return await this.#call("stat", signal, async ({ files }) => {
      const status = await files.statusLater(this.readFd);
      if (status === null) throw await diskFailure("stat", this.path, "existing");
      return status;
    });
  }

  async #call<T>(
    operation: string,
    signal: AbortSignal,
    work: (libc: Libc) => Promise<T>,
  ): Promise<T> {
    if (this.#state !== "open") {
      throw new CacheDiskError("gone", operation, this.path, "the data file is closed");
    }
    this.#calls += 1;
    try {
      return await this.#deps.threads.run(this.path, signal, () => work(this.#deps.libc));
    } finally {
      this.#calls -= 1;
      this.#closeWhenIdle();
    }
  }

  /** The descriptor that writes: opened once, of the very file that is read. */
  #openWriter(): Promise<number> {
    this.#writer ??= openSame(this.path, this.inode, this.#deps).catch((error: unknown) => {
      this.#writer = null;
      throw error;
    });
    return this.#writer;
  }

  #closeWhenIdle(): void {
    if (this.#state !== "closing" || this.#calls > 0) return;
    this.#state = "closed";
    this.#deps.tasks.add(this.#closeDescriptors());
  }

  async #closeDescriptors(): Promise<void> {
    const { files } = this.#deps.libc;
    await files.closeLater(this.readFd);
    if (this.#writer !== null) await files.closeLater(await this.#writer);
  }
}

/** Removes the data file at `path`, which may be gone already. */
export async function unlinkDataFile(
  path: string,
  deps: DataFileDeps,
  signal: AbortSignal,
): Promise<void> {
  await deps.threads.run(path, signal, () => unlinkNow(path, deps));
}

interface Reader {
  readonly fd: number;
  readonly inode: bigint;
}

async function unlinkNow(path: string, deps: DataFileDeps): Promise<void> {
  deps.step("unlink file");
  if (await deps.libc.files.unlinkLater(path)) return;
  const error = await diskFailure("unlink", path, "existing");
  if (error.code !== "gone") throw error;
}

async function createWriter(path: string, deps: DataFileDeps): Promise<number> {
  const { files } = deps.libc;
  deps.step("create file");
  const created = await files.openLater(path, CREATE, PERMISSIONS);
  if (created !== null) return created;
  // Left by a process that was killed, whose index did not keep the object.
  if (!await files.unlinkLater(path)) throw await diskFailure("create", path, "new");
  const again = await files.openLater(path, CREATE, PERMISSIONS);
  if (again === null) throw await diskFailure("create", path, "new");
  return again;
}

async function openReader(path: string, sizeBytes: number, deps: DataFileDeps): Promise<Reader> {
  const { files } = deps.libc;
  const fd = await files.openLater(path, READ, 0);
  if (fd === null) throw await diskFailure("open", path, "existing");
  const status = await files.statusLater(fd);
  if (status !== null && isWhole(status, sizeBytes)) return { fd, inode: status.inode };
  await files.closeLater(fd);
  throw status === null ? await diskFailure("stat", path, "existing") : replaced(path);
}

async function openSame(path: string, inode: bigint, deps: DataFileDeps): Promise<number> {
  const { files } = deps.libc;
  const fd = await files.openLater(path, WRITE, 0);
  if (fd === null) throw await diskFailure("open", path, "existing");
  if ((await files.statusLater(fd))?.inode === inode) return fd;
  await files.closeLater(fd);
  throw replaced(path);
}

function isWhole(status: FileStatus, sizeBytes: number): boolean {
  return status.type === "file" && status.sizeBytes === sizeBytes;
}

function replaced(path: string): CacheDiskError {
  return new CacheDiskError("gone", "use", path, "the data file was replaced or cut");
}
