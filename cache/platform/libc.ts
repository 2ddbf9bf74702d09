/**
 * The system calls WarpDrive makes itself, through the C library. The only file that opens it.
 *
 * Calls that may fail return a negated errno, as the kernel does. Synchronous calls are for what
 * never waits (sockets and pipes in nonblocking mode, page-cache reads, metadata in the dentry
 * cache). The `…Later` variants run on the runtime's blocking threads; errno is per thread, so they
 * report only that they failed (−EIO) and callers that need the reason ask again without waiting.
 */
import { ERRNO, SystemError } from "./errno.ts";
import {
  type FileStatus,
  parseStatx,
  STATX_BASIC_STATS,
  STATX_BYTES,
  statxMatches,
} from "./file_status.ts";
import { LibcAccounts } from "./libc_accounts.ts";
import { LibcFiles } from "./libc_files.ts";
import { LibcSockets } from "./libc_sockets.ts";
import { LIBC_SYMBOLS } from "./libc_symbols.ts";
import { OPEN_FLAGS } from "./open_flags.ts";

const SYS_OPENAT2 = 437; // asm-generic/unistd.h; the same number on every architecture
const AT_EMPTY_PATH = 0x1000;
const RWF_NOWAIT = 0x8;
const POLLIN = 0x1;
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const F_SETFD = 2;
const F_SETFL = 4;
const FD_CLOEXEC = 1;
const CLOCK_MONOTONIC = 1;
const MSG_CMSG_CLOEXEC = 0x40000000;
const RLIMIT_NOFILE = 7;

/** A buffer system calls may write to: it never moves, and is not shared with another thread. */
export type Memory = Uint8Array<ArrayBuffer>;

/** The C library of this process. */
export class Libc {
  /** Users and groups. */
  readonly accounts: LibcAccounts;
  /** Calls on files whose disk may not answer. */
  readonly files: LibcFiles;
  /** Calls on Unix sockets. */
  readonly sockets: LibcSockets;
  readonly #symbols: Deno.DynamicLibrary<typeof LIBC_SYMBOLS>["symbols"];
  /** errno of this thread; the location is fixed for the life of the thread. */
  readonly #errno: Int32Array;
  readonly #addresses = new WeakMap<ArrayBuffer, number>();
  /** Two struct iovec, written by halves: a bigint per field would double the cost of a read. */
  readonly #iovecs = new Uint32Array(8);
  readonly #iovecBytes = new Uint8Array(this.#iovecs.buffer);
  readonly #statx = new Uint8Array(STATX_BYTES);
  readonly #statxView = new DataView(this.#statx.buffer);
  /** struct timespec: the lower halves of its numbers are all there is to them. */
  readonly #time = new Uint32Array(new ArrayBuffer(16));
  readonly #openHow = new Uint8Array(24);
  readonly #emptyPath = new Uint8Array(1);
  /** Memory that threads work on. A view is made for each call, so none is in here twice. */
  readonly #held = new Set<Memory>();

  private constructor(library: Deno.DynamicLibrary<typeof LIBC_SYMBOLS>) {
    this.#symbols = library.symbols;
    const location = library.symbols.__errno_location();
    if (location === null) throw new SystemError("find errno of", "libc.so.6", ERRNO.EINVAL);
    this.#errno = new Int32Array(Deno.UnsafePointerView.getArrayBuffer(location, 4));
    this.accounts = new LibcAccounts(library.symbols);
    this.files = new LibcFiles(library.symbols, this.#errno);
    this.sockets = new LibcSockets(library.symbols, this.#errno);
  }

  /** Opens the C library; glibc of any age WarpDrive's runtime itself can use. */
  static open(): Libc {
    return new Libc(Deno.dlopen("libc.so.6", LIBC_SYMBOLS));
  }

  /** User id this process acts as. */
  effectiveUid(): number {
    return this.#symbols.geteuid();
  }

  /** Group id this process acts as. */
  effectiveGid(): number {
    return this.#symbols.getegid();
  }

  /** Bytes of a memory page: 4 KiB on x86-64, up to 64 KiB on aarch64. */
  pageBytes(): number {
    return this.#symbols.getpagesize();
  }

  /** Milliseconds of CLOCK_MONOTONIC, at less than half the cost of the runtime's clock. */
  monotonicMs(): number {
    this.#symbols.clock_gettime(CLOCK_MONOTONIC, this.#time);
    return (this.#time[0] ?? 0) * 1_000 + (this.#time[2] ?? 0) / 1e6;
  }

  /** Makes reads of `fd` return −EAGAIN instead of waiting. */
  setNonblocking(fd: number): void {
    this.#symbols.fcntl(fd, F_SETFL, OPEN_FLAGS.NONBLOCK);
  }

  /** Opens `path`; a descriptor or a negated errno. Close-on-exec is always set. */
  openPath(path: string, flags: number): number {
    return this.#result(this.#symbols.open(cString(path), flags | OPEN_FLAGS.CLOEXEC, 0));
  }

  /** Closes a descriptor; errors carry no information a reader could use. */
  close(fd: number): void {
    this.#symbols.close(fd);
  }

  /**
   * openat2(2): opens the NUL-terminated `path` below directory `fd`, resolved as `resolve` says;
   * a descriptor or a negated errno.
   */
  openBelow(fd: number, path: Memory, flags: number, resolve: number): number {
    this.#fillOpenHow(this.#openHow, flags, resolve);
    return this.#result(
      this.#symbols.openat2(
        wide(SYS_OPENAT2),
        wide(fd),
        path,
        this.#openHow,
        wide(this.#openHow.length),
      ),
    );
  }

  /** {@linkcode openBelow} on a blocking thread. */
  async openBelowLater(fd: number, path: Memory, flags: number, resolve: number): Promise<number> {
    const how = new Uint8Array(24);
    this.#fillOpenHow(how, flags, resolve);
    const length = wide(how.length);
    const opening = this.#symbols.openat2Later(wide(SYS_OPENAT2), wide(fd), path, how, length);
    const result = await this.#holding(opening, path, how);
    return result < 0 ? -ERRNO.EIO : result;
  }

  /** Status of the open file `fd`, which may be an O_PATH descriptor; throws on failure. */
  statusOf(fd: number, subject: string): FileStatus {
    const result = this.#symbols.statx(
      fd,
      this.#emptyPath,
      AT_EMPTY_PATH,
      STATX_BASIC_STATS,
      this.#statx,
    );
    if (result < 0) throw new SystemError("stat", subject, this.#lastErrno());
    return parseStatx(this.#statxView);
  }

  /** Whether size, mtime and ctime of the open file `fd` are still those of `before`. */
  isUnchanged(fd: number, before: FileStatus): boolean {
    const mask = STATX_BASIC_STATS;
    const result = this.#symbols.statx(fd, this.#emptyPath, AT_EMPTY_PATH, mask, this.#statx);
    return result === 0 && statxMatches(this.#statxView, before);
  }

  /** Reads from a nonblocking descriptor; bytes read or a negated errno. */
  read(fd: number, into: Memory): number {
    return this.#result(this.#symbols.read(fd, into, wide(into.length)));
  }

  /** Writes to a descriptor that never makes its writer wait; bytes written or a negated errno. */
  write(fd: number, from: Memory): number {
    return this.#result(this.#symbols.write(fd, from, wide(from.length)));
  }

  /** Writes on a blocking thread; bytes written or −EIO. */
  async writeLater(fd: number, from: Memory): Promise<number> {
    const writing = this.#symbols.writeLater(fd, from, wide(from.length));
    const written = await this.#holding(writing, from);
    return written < 0 ? -ERRNO.EIO : written;
  }

  /** Writes `first` and then `second` in one call; bytes written or a negated errno. */
  writeTwo(fd: number, first: Memory, second: Memory): number {
    this.#setIovec(0, first);
    this.#setIovec(1, second);
    return this.#result(this.#symbols.writev(fd, this.#iovecBytes, 2));
  }

  /**
   * Reads what is in the page cache at `offset`, without waiting for the disk: bytes read, which
   * may be fewer than asked, or −EAGAIN when the first byte is not there (preadv2, RWF_NOWAIT).
   */
  readCached(fd: number, into: Memory, offset: number): number {
    this.#setIovec(0, into);
    return this.#result(this.#symbols.preadv2(fd, this.#iovecBytes, 1, wide(offset), RWF_NOWAIT));
  }

  /** Reads at `offset`, and waits for it on this very thread; bytes read or a negated errno. */
  readWaiting(fd: number, into: Memory, offset: number): number {
    return this.#result(this.#symbols.pread(fd, into, wide(into.length), wide(offset)));
  }

  /** Reads at `offset` on a blocking thread; bytes read or −EIO. */
  async readLater(fd: number, into: Memory, offset: number): Promise<number> {
    const reading = this.#symbols.preadLater(fd, into, wide(into.length), wide(offset));
    const read = await this.#holding(reading, into);
    return read < 0 ? -ERRNO.EIO : read;
  }

  /** The next records of directory `fd` (getdents64), on a blocking thread; bytes or −EIO. */
  async directoryRecordsLater(fd: number, into: Memory): Promise<number> {
    const reading = this.#symbols.getdentsLater(fd, into, wide(into.length));
    const read = await this.#holding(reading, into);
    return read < 0 ? -ERRNO.EIO : read;
  }

  /** Target of the link that the O_PATH descriptor `fd` stands for; throws on failure. */
  linkTarget(fd: number, subject: string): Memory {
    const target = new Uint8Array(4096); // PATH_MAX of linux/limits.h
    const length = this.#symbols.readlinkat(fd, this.#emptyPath, target, wide(target.length));
    if (length < 0) throw new SystemError("read link", subject, this.#lastErrno());
    return target.slice(0, length);
  }

  /** lseek(2); the new offset or a negated errno. */
  seek(fd: number, offset: number, whence: number): number {
    const result = Number(this.#symbols.lseek(fd, wide(offset), whence));
    return result < 0 ? -this.#lastErrno() : result;
  }

  /** Moves directory `fd` to a position getdents64 reported (d_off), which may use all 63 bits. */
  seekDirectory(fd: number, position: bigint): void {
    this.#symbols.lseek(fd, position, 0);
  }

  /**
   * The extended attribute `name` of `path`, at most 4 KiB, asked on a blocking thread because a
   * file system may not answer; null when there is none, or no answer.
   */
  async attributeLater(path: string, name: string): Promise<Memory | null> {
    const words = [cString(path), cString(name)] as const;
    const value = new Uint8Array(4096);
    const asking = this.#symbols.getxattrLater(...words, value, wide(value.length));
    const length = await this.#holding(asking, ...words, value);
    return length < 0 ? null : value.slice(0, length);
  }

  /** ioctl(2) with a pointer argument; its result or a negated errno. */
  ioctl(fd: number, request: number, argument: Memory): number {
    return this.#result(this.#symbols.ioctl(fd, wide(request), argument));
  }

  /** Waits on a blocking thread until `fd` is readable or broken; −1 is no `timeoutMs`. */
  async waitReadable(fd: number, timeoutMs: number): Promise<void> {
    const poll = new Uint8Array(8);
    const view = new DataView(poll.buffer);
    view.setInt32(0, fd, true);
    view.setInt16(4, POLLIN, true);
    await this.#holding(this.#symbols.pollLater(poll, wide(1), timeoutMs), poll);
  }

  /** mount(2); throws on failure. */
  mount(source: string, target: string, type: string, flags: number, options: string): void {
    const result = this.#symbols.mount(
      cString(source),
      cString(target),
      cString(type),
      wide(flags),
      cString(options),
    );
    if (result < 0) throw new SystemError("mount", target, this.#lastErrno());
  }

  /**
   * umount2(2) on a blocking thread, because the kernel may ask the very process that serves the
   * mount. Whether it worked: a failure has no reliable reason.
   */
  async unmountLater(target: string, flags: number): Promise<boolean> {
    const path = cString(target);
    return await this.#holding(this.#symbols.umount2Later(path, flags), path) === 0;
  }

  /** umount2(2) of a mount that nobody serves; 0 or a negated errno. */
  unmountDead(target: string, flags: number): number {
    return this.#result(this.#symbols.umount2(cString(target), flags));
  }

  /** Raises the soft limit of open files to the hard one and returns it. */
  raiseOpenFileLimit(): number {
    const limits = new BigUint64Array(2);
    const bytes = new Uint8Array(limits.buffer);
    if (this.#symbols.prlimit64(0, RLIMIT_NOFILE, null, bytes) < 0) return 0;
    limits[0] = limits[1] ?? 0n;
    this.#symbols.prlimit64(0, RLIMIT_NOFILE, bytes, null);
    return Number(limits[0]);
  }

  /** A connected pair of stream sockets; the second is close-on-exec, the first is inherited. */
  inheritableSocketPair(): { readonly inherited: number; readonly kept: number } {
    const pair = new Int32Array(2);
    const result = this.#symbols.socketpair(AF_UNIX, SOCK_STREAM, 0, new Uint8Array(pair.buffer));
    if (result < 0) throw new SystemError("create", "socket pair", this.#lastErrno());
    const [inherited = -1, kept = -1] = pair;
    this.#symbols.fcntl(kept, F_SETFD, FD_CLOEXEC);
    return { inherited, kept };
  }

  /** Receives one descriptor sent over the socket `fd` (SCM_RIGHTS), or null at its end. */
  async receiveDescriptor(fd: number): Promise<number | null> {
    const data = new Uint8Array(8);
    const iovec = new BigUint64Array([BigInt(this.#addressOf(data)), 1n]);
    const iovecBytes = new Uint8Array(iovec.buffer);
    const control = new Uint8Array(24);
    const message = new BigUint64Array(7); // struct msghdr
    message[2] = BigInt(this.#addressOf(iovecBytes));
    message[3] = 1n;
    message[4] = BigInt(this.#addressOf(control));
    message[5] = BigInt(control.length);
    const bytes = new Uint8Array(message.buffer);
    const receiving = this.#symbols.recvmsgLater(fd, bytes, MSG_CMSG_CLOEXEC);
    const received = await this.#holding(receiving, bytes, iovecBytes, data, control);
    const hasControl = (message[5] ?? 0n) >= 20n;
    return received === 1 && hasControl ? new DataView(control.buffer).getInt32(16, true) : null;
  }

  /** Sends one datagram to the Unix socket `path`; a leading `@` names the abstract namespace. */
  sendDatagram(path: string, bytes: Memory): void {
    const fd = this.#symbols.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) throw new SystemError("create socket for", path, this.#lastErrno());
    try {
      const name = new TextEncoder().encode(path);
      if (path.startsWith("@")) name[0] = 0;
      const address = new Uint8Array(2 + 108); // struct sockaddr_un
      new DataView(address.buffer).setUint16(0, AF_UNIX, true);
      address.set(name.subarray(0, 107), 2);
      const length = path.startsWith("@") ? 2 + name.length : address.length;
      const sent = this.#symbols.sendto(fd, bytes, wide(bytes.length), 0, address, length);
      if (sent < 0) throw new SystemError("send to", path, this.#lastErrno());
    } finally {
      this.close(fd);
    }
  }

  /** Keeps memory alive while a thread works on it: the runtime passes bare addresses. */
  async #holding<T>(work: Promise<T>, ...memory: readonly Memory[]): Promise<T> {
    for (const bytes of memory) this.#held.add(bytes);
    try {
      return await work;
    } finally {
      for (const bytes of memory) this.#held.delete(bytes);
    }
  }

  #result(value: number): number {
    return value < 0 ? -this.#lastErrno() : value;
  }

  #lastErrno(): number {
    return this.#errno[0] ?? ERRNO.EIO;
  }

  #fillOpenHow(how: Uint8Array<ArrayBuffer>, flags: number, resolve: number): void {
    const view = new DataView(how.buffer);
    view.setUint32(0, flags | OPEN_FLAGS.CLOEXEC, true);
    view.setUint32(16, resolve, true);
  }

  #setIovec(index: number, memory: Memory): void {
    const address = this.#addressOf(memory);
    this.#iovecs[index * 4] = address >>> 0;
    this.#iovecs[index * 4 + 1] = Math.floor(address / 2 ** 32);
    this.#iovecs[index * 4 + 2] = memory.length;
    this.#iovecs[index * 4 + 3] = 0;
  }

  /** Where `memory` lies. Addresses fit a double: user space ends at 2^47 (2^52 on aarch64). */
  #addressOf(memory: Memory): number {
    let base = this.#addresses.get(memory.buffer);
    if (base === undefined) {
      const pointer = Deno.UnsafePointer.of(new Uint8Array(memory.buffer));
      base = Number(Deno.UnsafePointer.value(pointer));
      this.#addresses.set(memory.buffer, base);
    }
    return base + memory.byteOffset;
  }
}

/**
 * `value` as a 64-bit argument. Compiled code makes no bigint of it, and calls C at once. A plain
 * number would be taken too, by way of the runtime: 0.2 us more per call, and garbage.
 */
function wide(value: number): bigint {
  return BigInt(value);
}

/** `text` as the NUL-terminated bytes a system call takes. */
export function cString(text: string): Memory {
  return new TextEncoder().encode(text + "\0");
}
