/** System calls as a program on the mount makes them, with their errno. */
import { SystemError } from "../../cache/platform/errno.ts";
import {
  type FileStatus,
  parseStatx,
  STATX_BASIC_STATS,
} from "../../cache/platform/file_status.ts";
import { cString } from "../../cache/platform/libc.ts";
import { OPEN_FLAGS } from "../../cache/platform/open_flags.ts";
import type { PosixAnswer, PosixArgument, PosixCall, PosixQuestion } from "./posix_symbols.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** A path, as text or, where it is not UTF-8, as bytes. */
export type Path = string | Bytes;

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const PROT_READ = 1;
/** A multiple of what any disk asks of O_DIRECT. */
const ALIGNMENT = 4096;
/** Where the name begins in a struct dirent64; its length is at 16. */
const DIRENT_NAME = 19;

/** How a file is mapped into memory: flags of mmap(2). */
export const MAP = { SHARED: 1, PRIVATE: 2 } as const;
/** `whence` of lseek(2). */
export const SEEK = { SET: 0, DATA: 3, HOLE: 4 } as const;

/** An entry read from an open directory, and the position behind it. */
export interface ReadName {
  readonly name: string;
  readonly after: number;
}

/** One thread that makes system calls, one after the other. */
export class Posix implements Disposable {
  readonly #worker = new Worker(new URL("./posix_worker.ts", import.meta.url), { type: "module" });
  readonly #waiting: PromiseWithResolvers<PosixAnswer>[] = [];

  constructor() {
    this.#worker.onmessage = ({ data }: MessageEvent<PosixAnswer>) => {
      this.#waiting.shift()?.resolve(data);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      for (const { reject } of this.#waiting.splice(0)) reject(new Error(event.message));
    };
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }

  /** Makes one call; its result, or a negated errno. */
  async call(name: PosixCall, ...args: PosixArgument[]): Promise<number> {
    return (await this.#ask(name, args)).result;
  }

  /** Makes one call that has to succeed. */
  async done(name: PosixCall, ...args: PosixArgument[]): Promise<number> {
    const result = await this.call(name, ...args);
    if (result < 0) throw new SystemError(name, String(args[0]), -result);
    return result;
  }

  /** Opens `path`; a descriptor. */
  async open(path: Path, flags: number = OPEN_FLAGS.RDONLY): Promise<number> {
    return await this.done("open", zeroEnded(path), flags, 0);
  }

  /** One pread(2) into aligned memory: the bytes it gave. */
  async read(fd: number, offset: number, length: number): Promise<Bytes> {
    const room = Math.ceil(Math.max(length, 1) / ALIGNMENT) * ALIGNMENT;
    const address = await this.done("aligned_alloc", ALIGNMENT, room);
    try {
      return await this.#bytesAt(address, await this.done("pread64", fd, address, length, offset));
    } finally {
      await this.call("free", address);
    }
  }

  /** One read(2) at the position of `fd`. */
  async readStream(fd: number, length: number): Promise<Bytes> {
    const { result, buffers } = await this.#ask("read", [fd, new Uint8Array(length), length]);
    if (result < 0) throw new SystemError("read", String(fd), -result);
    return (buffers[0] ?? new Uint8Array(0)).slice(0, result);
  }

  /** The first `length` bytes of `fd`, read through a mapping. */
  async readMapped(fd: number, length: number, flags: number): Promise<Bytes> {
    const address = await this.done("mmap", 0, length, PROT_READ, flags, fd, 0);
    try {
      return await this.#bytesAt(address, length);
    } finally {
      await this.done("munmap", address, length);
    }
  }

  /** Status of what is at `path`, a link itself. */
  async status(path: Path): Promise<FileStatus> {
    const args = [
      AT_FDCWD,
      zeroEnded(path),
      AT_SYMLINK_NOFOLLOW,
      STATX_BASIC_STATS,
      new Uint8Array(256),
    ];
    const { result, buffers } = await this.#ask("statx", args);
    if (result < 0) throw new SystemError("statx", String(path), -result);
    return parseStatx(viewOf(buffers[1]));
  }

  /** Value of an extended attribute, or a negated errno. */
  async attribute(path: string, name: string): Promise<string | number> {
    const { result, buffers } = await this.#ask("getxattr", [path, name, new Uint8Array(256), 256]);
    return result < 0 ? result : new TextDecoder().decode(buffers[2]?.subarray(0, result));
  }

  /** What statfs(2) says, as 64-bit words (struct statfs of bits/statfs.h). */
  async fileSystemStatus(path: string): Promise<readonly bigint[]> {
    const { result, buffers } = await this.#ask("statfs64", [path, new Uint8Array(120)]);
    if (result < 0) throw new SystemError("statfs", path, -result);
    return [...new BigUint64Array(buffers[1]?.buffer ?? new ArrayBuffer(0))];
  }

  /** Every name in the directory `fd`, as bytes, in the order the kernel gives them. */
  async names(fd: number): Promise<readonly Bytes[]> {
    const names: Bytes[] = [];
    for (;;) {
      const { result, buffers } = await this.#ask("getdents64", [
        fd,
        new Uint8Array(1 << 17),
        1 << 17,
      ]);
      if (result < 0) throw new SystemError("getdents64", String(fd), -result);
      if (result === 0) return names;
      const records = (buffers[0] ?? new Uint8Array(0)).subarray(0, result);
      for (let at = 0; at < result; at += viewOf(records).getUint16(at + 16, true)) {
        names.push(nameOf(records.subarray(at)));
      }
    }
  }

  /** readdir(3); null at the end. */
  async nextName(directory: number): Promise<ReadName | null> {
    const address = await this.call("readdir64", directory);
    if (address === 0) return null;
    const length = viewOf(await this.#bytesAt(address, DIRENT_NAME)).getUint16(16, true);
    const name = new TextDecoder().decode(nameOf(await this.#bytesAt(address, length)));
    return { name, after: await this.done("telldir", directory) };
  }

  /** A pipe: its reading and its writing end. */
  async pipe(): Promise<readonly [number, number]> {
    const { buffers } = await this.#ask("pipe", [new Uint8Array(8)]);
    const view = viewOf(buffers[0]);
    return [view.getInt32(0, true), view.getInt32(4, true)];
  }

  async #bytesAt(address: number, length: number): Promise<Bytes> {
    if (length === 0) return new Uint8Array(0);
    const { buffers } = await this.#ask("memcpy", [new Uint8Array(length), address, length]);
    return buffers[0] ?? new Uint8Array(0);
  }

  #ask(name: PosixCall, args: readonly PosixArgument[]): Promise<PosixAnswer> {
    const answer = Promise.withResolvers<PosixAnswer>();
    this.#waiting.push(answer);
    const nullIsFailure = name === "opendir" || name === "aligned_alloc";
    const question: PosixQuestion = { name, args, nullIsFailure };
    this.#worker.postMessage(question);
    return answer.promise;
  }
}

/** `path` as bytes that end with a NUL. */
export function zeroEnded(path: Path): Bytes {
  return typeof path === "string" ? cString(path) : new Uint8Array([...path, 0]);
}

/** The name in a struct linux_dirent64, which struct dirent64 of the C library equals. */
function nameOf(record: Bytes): Bytes {
  const name = record.subarray(DIRENT_NAME);
  return name.slice(0, name.indexOf(0));
}

function viewOf(bytes: Bytes | undefined): DataView {
  return new DataView(bytes?.buffer ?? new ArrayBuffer(0), bytes?.byteOffset, bytes?.byteLength);
}
