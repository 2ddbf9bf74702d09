/** The /dev/fuse descriptor: one message in, one message out. Knows nothing of their meaning. */
import { assert } from "../../cache/platform/assert.ts";
import { ERRNO } from "../../cache/platform/errno.ts";
import type { Libc, Memory } from "../../cache/platform/libc.ts";
import { DEVICE_IOCTL, READ_BUFFER_BYTES_MIN } from "./abi.ts";
import type { Message } from "./encode.ts";
import { MAX_WRITE_BYTES } from "./handshake.ts";

/** What reading one message came to. */
export type Received =
  | { readonly kind: "message"; readonly bytes: Memory; readonly length: number }
  /** No request waits. */
  | { readonly kind: "empty" }
  /** Something passing: read again. */
  | { readonly kind: "again" }
  /** The mount is gone. */
  | { readonly kind: "ended"; readonly errno: number };

const EMPTY: Received = { kind: "empty" };
const AGAIN: Received = { kind: "again" };

/** The side of a descriptor that a session talks to. */
export interface Channel {
  /** The next message; its bytes are valid until the next call. */
  receive(): Received;
  /** Waits until a message may be there or the mount is gone. */
  waitReadable(): Promise<void>;
  /** Writes one message in one call; 0 or a positive errno. */
  send(message: Message): number;
  /** Writes a notification without making the event loop wait; whether it was accepted. */
  notify(bytes: Memory): Promise<boolean>;
}

/** A mounted /dev/fuse descriptor in nonblocking mode. */
export class Device implements Channel {
  readonly #libc: Libc;
  readonly #fd: number;
  // The kernel refuses buffers below max(8192, header + max_write); a page more costs nothing.
  readonly #buffer = new Uint8Array(Math.max(READ_BUFFER_BYTES_MIN, MAX_WRITE_BYTES + 4096));

  constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.#fd = fd;
  }

  /** Reads the next message; its bytes are valid until the next call. */
  receive(): Received {
    const length = this.#libc.read(this.#fd, this.#buffer);
    if (length > 0) return { kind: "message", bytes: this.#buffer, length };
    switch (-length) {
      case ERRNO.EAGAIN:
        return EMPTY;
      // ENOENT: the request was withdrawn while it was being copied here.
      case ERRNO.EINTR:
      case ERRNO.ENOENT:
        return AGAIN;
      default:
        return { kind: "ended", errno: -length };
    }
  }

  /** Waits until a message may be there or the mount is gone. */
  async waitReadable(): Promise<void> {
    await this.#libc.waitReadable(this.#fd, -1);
  }

  /** Writes one message in one call; 0 or a positive errno. */
  send(message: Message): number {
    const length = message.head.length + (message.tail?.length ?? 0);
    const written = message.tail === null
      ? this.#libc.write(this.#fd, message.head)
      : this.#libc.writeTwo(this.#fd, message.head, message.tail);
    assert(written < 0 || written === length, "A reply is written whole or not at all");
    return written < 0 ? -written : 0;
  }

  /**
   * Writes a notification on a blocking thread: the kernel may take locks that are only released
   * by replies of this very process. Whether it was accepted.
   */
  async notify(bytes: Memory): Promise<boolean> {
    return await this.#libc.writeLater(this.#fd, bytes) === bytes.length;
  }

  /** Registers `fd` as a backing file for passthrough; an id above 0 or a negated errno. */
  openBacking(fd: number): number {
    const argument = new Uint8Array(16); // struct fuse_backing_map
    new DataView(argument.buffer).setInt32(0, fd, true);
    return this.#libc.ioctl(this.#fd, DEVICE_IOCTL.BACKING_OPEN, argument);
  }

  /** Takes a backing file back; opens that use it go on. */
  closeBacking(id: number): void {
    const argument = new Uint8Array(4);
    new DataView(argument.buffer).setUint32(0, id, true);
    this.#libc.ioctl(this.#fd, DEVICE_IOCTL.BACKING_CLOSE, argument);
  }

  /** Closes the descriptor, which ends the connection if it is still mounted. */
  close(): void {
    this.#libc.close(this.#fd);
  }
}
