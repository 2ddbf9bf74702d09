/**
 * The directory of the cache: its layout, and that one process at a time uses it.
 *
 *     LOCK           locked (flock) while a process uses the directory; says which one
 *     index.sqlite   what is cached, and -wal, its log; .damaged, the last one that was
 *     data/HH/ID     one sparse file per object version: its row's id in hexadecimal digits, in
 *                    one of 256 directories named by the last two
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { CacheDiskError } from "./cache_disk_error.ts";
import { type DiskSpace, diskSpace } from "./disk_space.ts";
import { ERRNO, errnoName } from "../platform/errno.ts";
import { CommandError } from "../platform/exit.ts";
import type { Libc } from "../platform/libc.ts";
import { OPEN_FLAGS } from "../platform/open_flags.ts";

/** Directories below `data`. */
export const DATA_DIRECTORIES = 256;

/** What a probe of the disk writes. */
const PROBE_BYTES = 4_096;

/** Who uses a cache directory. */
export interface CacheHolder {
  readonly pid: number;
  /** Where its mount is; for a command without one, its name. */
  readonly mountPoint: string;
  /** Milliseconds since the epoch. */
  readonly sinceMs: number;
}

const HOLDER = z.object({ pid: z.number(), mountPoint: z.string(), sinceMs: z.number() });

/** A cache directory that this process has locked. */
export class CacheDirectory implements Disposable {
  readonly path: string;
  readonly #holder: CacheHolder;
  readonly #libc: Libc;
  #lockFd: number;

  private constructor(path: string, holder: CacheHolder, libc: Libc, lockFd: number) {
    this.path = path;
    this.#holder = holder;
    this.#libc = libc;
    this.#lockFd = lockFd;
  }

  /**
   * Creates what is missing of the directory and locks it. Waits for the disk: to be called before
   * anything is served.
   *
   * @throws {CommandError} when another process uses it, or it cannot be created.
   */
  static open(path: string, holder: CacheHolder, libc: Libc): CacheDirectory {
    let lockFd = -1;
    try {
      mkdirSync(path, { recursive: true, mode: 0o700 });
      lockFd = lock(path, holder, libc);
      const made = mkdirSync(join(path, "data"), { recursive: true, mode: 0o700 });
      const directory = new CacheDirectory(path, holder, libc, lockFd);
      if (made !== undefined || !isWhole(directory)) makeDataDirectories(directory);
      return directory;
    } catch (cause) {
      if (lockFd >= 0) libc.close(lockFd);
      throw cause instanceof CommandError ? cause : unusable(path, cause);
    }
  }

  /** Where the index is. */
  get indexPath(): string {
    return join(this.path, "index.sqlite");
  }

  /** Where the bytes of the object with this id are. */
  dataPath(id: number): string {
    return join(this.dataDirectory(id % DATA_DIRECTORIES), id.toString(16));
  }

  /** One of the directories that hold data files. */
  dataDirectory(number: number): string {
    return join(this.path, "data", number.toString(16).padStart(2, "0"));
  }

  /** What is left on its file system. Rejects with `CacheDiskError`. */
  space(): Promise<DiskSpace> {
    return diskSpace(this.path);
  }

  /**
   * Whether the disk, after a failure, can be written again: resolves when it can. A directory that
   * was lost and is there again, perhaps empty, is set up and locked anew.
   *
   * @throws {CacheDiskError} when it cannot, `full` included.
   */
  async probe(signal: AbortSignal): Promise<void> {
    const file = join(this.path, "PROBE");
    try {
      await Deno.writeFile(file, new Uint8Array(PROBE_BYTES), { signal, mode: 0o600 });
      await Deno.remove(file);
      const lost = await Deno.lstat(join(this.path, "LOCK")).then(() => false, isMissing);
      if (lost) this.#setUpAnew();
    } catch (cause) {
      signal.throwIfAborted();
      const reason = cause instanceof Error ? cause.message : String(cause);
      const code = isFull(cause) ? "full" : "failed";
      throw new CacheDiskError(code, "write to", this.path, reason, { cause });
    }
  }

  /** Gives the directory to the next process. */
  [Symbol.dispose](): void {
    this.#libc.close(this.#lockFd);
  }

  /** The disk has just answered, so these short calls may be made without a thread. */
  #setUpAnew(): void {
    const lockFd = lock(this.path, this.#holder, this.#libc);
    this.#libc.close(this.#lockFd);
    this.#lockFd = lockFd;
    makeDataDirectories(this);
  }
}

/** The id that a data file's name stands for, or null for a name that is none. */
export function idOfName(name: string): number | null {
  if (!/^(0|[1-9a-f][0-9a-f]{0,13})$/.test(name)) return null;
  const id = Number.parseInt(name, 16);
  return Number.isSafeInteger(id) ? id : null;
}

/** No space, or none for this user. */
function isFull(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return code === "ENOSPC" || code === "EDQUOT";
}

function isMissing(error: unknown): boolean {
  if (error instanceof Deno.errors.NotFound) return true;
  throw error;
}

/** Whether the last of the data directories is there: they are made in order. */
function isWhole(directory: CacheDirectory): boolean {
  return existsSync(directory.dataDirectory(DATA_DIRECTORIES - 1));
}

function makeDataDirectories(directory: CacheDirectory): void {
  for (let number = 0; number < DATA_DIRECTORIES; number += 1) {
    mkdirSync(directory.dataDirectory(number), { recursive: true, mode: 0o700 });
  }
}

/** Takes the lock, which a process that dies gives back whatever it died of. */
function lock(path: string, holder: CacheHolder, libc: Libc): number {
  const file = join(path, "LOCK");
  // Creates it, and fails where it is something that cannot be written.
  writeFileSync(file, "", { flag: "a", mode: 0o600 });
  const fd = libc.openPath(file, OPEN_FLAGS.RDWR | OPEN_FLAGS.NOFOLLOW);
  if (fd < 0) throw unusable(path, new Error(`Open "${file}": ${errnoName(-fd)}`));
  const result = libc.files.lock(fd);
  if (result === 0) {
    writeFileSync(file, `${JSON.stringify(holder)}\n`);
    return fd;
  }
  libc.close(fd);
  if (result !== -ERRNO.EAGAIN) {
    throw unusable(path, new Error(`Lock "${file}": ${errnoName(-result)}`));
  }
  throw new CommandError(
    "failed",
    `Cannot use cache "${path}": ${describeHolder(readHolder(file))}`,
    "Unmount that one first, or give this mount a cache.path of its own",
  );
}

/** Who wrote `LOCK` last; null when it does not say. Only the lock tells if they still run. */
export function readHolder(lockFile: string): CacheHolder | null {
  const holder = HOLDER.safeParse(parseJson(lockFile));
  return holder.success ? holder.data : null;
}

/** `holder` in a message. */
export function describeHolder(holder: CacheHolder | null): string {
  if (holder === null) return "another process uses it";
  const { pid, mountPoint, sinceMs } = holder;
  return `process ${pid} uses it for "${mountPoint}" since ${new Date(sinceMs).toISOString()}`;
}

function parseJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    // Just being written, or by an older release: the lock itself is what counts.
    return null;
  }
}

function unusable(path: string, cause: unknown): CommandError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CommandError(
    "failed",
    `Cannot use cache "${path}": ${reason}`,
    "Give cache.path a directory on a local disk that this user may write to",
    { cause },
  );
}
