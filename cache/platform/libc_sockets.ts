/**
 * Unix sockets through the C library: Deno's own have no peer credentials and no descriptor.
 *
 * All sockets are nonblocking and close-on-exec. Calls that may fail return a negated errno.
 */
import { ERRNO, SystemError } from "./errno.ts";
import type { Memory } from "./libc.ts";
import type { LIBC_SYMBOLS } from "./libc_symbols.ts";

const AF_UNIX = 1;
// asm-generic/socket.h and linux/socket.h; the same on x86-64 and aarch64.
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const SO_PEERGROUPS = 59;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const SHUT_RDWR = 2;
const SHUT_WR = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;

/** Bytes of the longest path a Unix socket can have (sun_path, without its NUL). */
export const SOCKET_PATH_BYTES_MAX = 107;
/** Supplementary groups asked for at first; a process may have 65,536. */
const GROUPS_USUAL = 32;

/** Who is at the other end of a Unix socket (struct ucred), as of its connect(2) or listen(2). */
export interface PeerCredentials {
  /** 0 when it lives in another pid namespace. */
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** The socket calls of the C library; made by `Libc`. */
export class LibcSockets {
  readonly #symbols: Deno.DynamicLibrary<typeof LIBC_SYMBOLS>["symbols"];
  readonly #errno: Int32Array;
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

  /** A stream socket bound to `path`; nobody can connect before {@linkcode listen}. */
  bind(path: string): number {
    const fd = this.#create(path);
    const address = addressOf(path);
    if (this.#symbols.bind(fd, address, address.length) === 0) return fd;
    const error = new SystemError("bind", path, this.#lastErrno());
    this.#symbols.close(fd);
    throw error;
  }

  /** Lets clients connect to a bound socket; `backlog` of them may wait to be accepted. */
  listen(fd: number, path: string, backlog: number): void {
    if (this.#symbols.listen(fd, backlog) === 0) return;
    throw new SystemError("listen on", path, this.#lastErrno());
  }

  /** The next client of a listening socket; a descriptor or a negated errno. */
  accept(fd: number): number {
    return this.#result(this.#symbols.accept4(fd, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC));
  }

  /** A socket connected to `path`; a descriptor, or a negated errno (−EAGAIN: no room to wait). */
  connect(path: string): number {
    const fd = this.#create(path);
    const address = addressOf(path);
    const result = this.#result(this.#symbols.connect(fd, address, address.length));
    if (result === 0) return fd;
    this.#symbols.close(fd);
    return result;
  }

  /** Who is at the other end of a connected socket. */
  peer(fd: number): PeerCredentials {
    const credentials = new Uint8Array(12);
    const size = new Uint32Array([credentials.length]);
    const result = this.#symbols.getsockopt(
      fd,
      SOL_SOCKET,
      SO_PEERCRED,
      credentials,
      new Uint8Array(size.buffer),
    );
    if (result < 0) throw new SystemError("ask who is at", "a socket", this.#lastErrno());
    const view = new DataView(credentials.buffer);
    return {
      pid: view.getInt32(0, true),
      uid: view.getUint32(4, true),
      gid: view.getUint32(8, true),
    };
  }

  /** Supplementary groups of who is at the other end; none on kernels before 4.13. */
  peerGroups(fd: number): readonly number[] {
    const size = new Uint32Array([GROUPS_USUAL * 4]);
    for (;;) {
      const groups = new Uint32Array((size[0] ?? 0) / 4);
      const result = this.#result(
        this.#symbols.getsockopt(
          fd,
          SOL_SOCKET,
          SO_PEERGROUPS,
          new Uint8Array(groups.buffer),
          new Uint8Array(size.buffer),
        ),
      );
      // There are more, and the kernel has said how many.
      if (result === -ERRNO.ERANGE) continue;
      return result < 0 ? [] : [...groups.subarray(0, (size[0] ?? 0) / 4)];
    }
  }

  /** Bytes received; 0 at the end; a negated errno (−EAGAIN: none yet). */
  receive(fd: number, into: Memory): number {
    return this.#result(this.#symbols.recv(fd, into, BigInt(into.length), MSG_DONTWAIT));
  }

  /** Bytes sent, which may be fewer than asked, or a negated errno (−EAGAIN: no room). */
  send(fd: number, from: Memory): number {
    const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    return this.#result(this.#symbols.send(fd, from, BigInt(from.length), flags));
  }

  /** Tells the other end that nothing follows. */
  endWriting(fd: number): void {
    this.#symbols.shutdown(fd, SHUT_WR);
  }

  /** Closes a connection, at once even while a thread still polls it. */
  close(fd: number): void {
    this.#symbols.shutdown(fd, SHUT_RDWR);
    this.#symbols.close(fd);
  }

  /** Waits on a blocking thread until one of `count` struct pollfd is ready, or for `timeoutMs`. */
  async pollLater(entries: Memory, count: number, timeoutMs: number): Promise<void> {
    this.#held.add(entries);
    try {
      await this.#symbols.pollLater(entries, BigInt(count), timeoutMs);
    } finally {
      this.#held.delete(entries);
    }
  }

  /** A counter to wake a poll with: readable once something was written to it. */
  eventCounter(): number {
    const fd = this.#symbols.eventfd(0, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) throw new SystemError("create", "event counter", this.#lastErrno());
    return fd;
  }

  /** Takes the lock of an open file or directory if nobody has it; it goes with the descriptor. */
  tryLock(fd: number): boolean {
    return this.#symbols.flock(fd, LOCK_EX | LOCK_NB) === 0;
  }

  #create(path: string): number {
    const fd = this.#symbols.socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) throw new SystemError("create socket for", path, this.#lastErrno());
    return fd;
  }

  #result(value: number): number {
    return value < 0 ? -this.#lastErrno() : value;
  }

  #lastErrno(): number {
    return this.#errno[0] ?? ERRNO.EIO;
  }
}

/** struct sockaddr_un of `path`. */
function addressOf(path: string): Memory {
  const name = new TextEncoder().encode(path);
  if (name.length > SOCKET_PATH_BYTES_MAX) {
    throw new SystemError("use socket", path, ERRNO.ENAMETOOLONG);
  }
  const address = new Uint8Array(2 + SOCKET_PATH_BYTES_MAX + 1);
  new DataView(address.buffer).setUint16(0, AF_UNIX, true);
  address.set(name, 2);
  return address;
}
