/**
 * System calls on files whose disk may be slow, full or dead: each runs on a blocking thread of the
 * runtime, so that no disk can stop the event loop.
 *
 * errno is per thread and lost there: a failure is reported as such and its reason has to be asked
 * for by other means. A call on a disk that hangs keeps its thread until the disk answers; bounding
 * how many do is the caller's business. Memory passed in belongs to the call until it is over.
 */
import { ERRNO } from "./errno.ts";
import { type FileStatus, parseStatx, STATX_BASIC_STATS, STATX_BYTES } from "./file_status.ts";
import type { Memory } from "./libc.ts";
import type { LIBC_SYMBOLS } from "./libc_symbols.ts";
import { OPEN_FLAGS } from "./open_flags.ts";

const AT_EMPTY_PATH = 0x1000;
const LOCK_EX = 2; // asm-generic/fcntl.h
const LOCK_NB = 4;
const FALLOC_FL_KEEP_SIZE = 0x1; // linux/falloc.h
const FALLOC_FL_PUNCH_HOLE = 0x2;

const encoder = new TextEncoder();

/** The file calls of the C library; made by `Libc`. */
export class LibcFiles {
  readonly #symbols: Deno.DynamicLibrary<typeof LIBC_SYMBOLS>["symbols"];
  readonly #errno: Int32Array;
  readonly #emptyPath = new Uint8Array(1);
  /** Memory that threads work on: the runtime passes bare addresses and keeps nothing alive. */
  readonly #held = new Set<Memory>();

  /** @param errno Where the calling thread's errno lies. */
  constructor(
    symbols: Deno.DynamicLibrary<typeof LIBC_SYMBOLS>["symbols"],
    errno: Int32Array,
  ) {
    this.#symbols = symbols;
    this.#errno = errno;
  }

  /** Opens or creates `path`; a descriptor, close-on-exec, or null when that failed. */
  async openLater(path: string, flags: number, permissions: number): Promise<number | null> {
    const name = nulTerminated(path);
    const opening = this.#symbols.openLater(name, flags | OPEN_FLAGS.CLOEXEC, permissions);
    const fd = await this.#holding(name, opening);
    return fd < 0 ? null : fd;
  }

  /** Status of the open file `fd`, or null when its file system cannot tell. */
  async statusLater(fd: number): Promise<FileStatus | null> {
    const status = new Uint8Array(STATX_BYTES);
    const name = this.#emptyPath;
    const asking = this.#symbols.statxLater(fd, name, AT_EMPTY_PATH, STATX_BASIC_STATS, status);
    const result = await this.#holding(status, asking);
    return result < 0 ? null : parseStatx(new DataView(status.buffer));
  }

  /** Writes at `offset`; bytes written, which may be fewer than asked, or null on failure. */
  async writeAtLater(fd: number, from: Memory, offset: number): Promise<number | null> {
    const length = BigInt(from.length);
    const writing = this.#symbols.pwriteLater(fd, from, length, BigInt(offset));
    const written = await this.#holding(from, writing);
    return written < 0 ? null : written;
  }

  /** Sets the size of `fd`; the bytes added are a hole. Whether it worked. */
  async truncateLater(fd: number, sizeBytes: number): Promise<boolean> {
    return await this.#symbols.ftruncateLater(fd, BigInt(sizeBytes)) === 0;
  }

  /** Gives the space of a range back, which then reads as zeros. Whether it worked. */
  async punchLater(fd: number, offset: number, length: number): Promise<boolean> {
    const mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    return await this.#symbols.fallocateLater(fd, mode, BigInt(offset), BigInt(length)) === 0;
  }

  /** Waits until the data of `fd` would survive a loss of power. Whether they do. */
  async syncLater(fd: number): Promise<boolean> {
    return await this.#symbols.fdatasyncLater(fd) === 0;
  }

  /** Removes the name `path`. Whether it worked. */
  async unlinkLater(path: string): Promise<boolean> {
    const name = nulTerminated(path);
    return await this.#holding(name, this.#symbols.unlinkLater(name)) === 0;
  }

  /** Closes `fd`. The last close of an unlinked file frees its space, which takes the disk time. */
  async closeLater(fd: number): Promise<void> {
    await this.#symbols.closeLater(fd);
  }

  /**
   * Takes the exclusive lock of the open file `fd` without waiting (flock), for as long as any
   * duplicate of the descriptor is open: 0 or a negated errno, −EAGAIN when another process holds
   * it. Local file systems keep locks in memory, so this one is not on a thread.
   */
  lock(fd: number): number {
    return this.#symbols.flock(fd, LOCK_EX | LOCK_NB) < 0 ? -(this.#errno[0] ?? ERRNO.EIO) : 0;
  }

  async #holding(memory: Memory, call: Promise<number>): Promise<number> {
    this.#held.add(memory);
    try {
      return await call;
    } finally {
      this.#held.delete(memory);
    }
  }
}

function nulTerminated(path: string): Memory {
  return encoder.encode(path + "\0");
}
