/**
 * Messages as the kernel writes them, put together field by field from the layouts of
 * include/uapi/linux/fuse.h. Shares nothing with the code under test.
 */

/** Bytes in little-endian order, appended one field at a time. */
export class Fields {
  readonly #bytes: number[] = [];

  u16(...values: readonly number[]): this {
    for (const value of values) this.#bytes.push(value & 0xff, (value >>> 8) & 0xff);
    return this;
  }

  u32(...values: readonly number[]): this {
    for (const value of values) this.u16(value & 0xffff, value >>> 16);
    return this;
  }

  u64(...values: readonly (number | bigint)[]): this {
    for (const value of values) {
      const wide = BigInt.asUintN(64, BigInt(value));
      this.u32(Number(wide & 0xffff_ffffn), Number(wide >> 32n));
    }
    return this;
  }

  /** Text in UTF-8 with the NUL the kernel ends names with. */
  name(text: string): this {
    return this.raw(new TextEncoder().encode(text)).raw([0]);
  }

  raw(bytes: Iterable<number>): this {
    this.#bytes.push(...bytes);
    return this;
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#bytes);
  }
}

/** Fields of the header that messages differ in. */
export interface Sender {
  readonly unique: number | bigint;
  readonly node: number | bigint;
  readonly pid: number;
}

/** An ordinary caller. */
export const CALLER: Sender = { unique: 6, node: 77, pid: 4711 };
export const CALLER_UID = 1000;
export const CALLER_GID = 100;

/** The message with struct fuse_in_header and `body`. */
export function kernelMessage(
  opcode: number,
  body: Fields,
  sender: Sender = CALLER,
): Uint8Array<ArrayBuffer> {
  const bytes = body.bytes();
  return new Fields()
    .u32(40 + bytes.length, opcode)
    .u64(sender.unique, sender.node)
    .u32(CALLER_UID, CALLER_GID, sender.pid)
    .u16(0, 0)
    .raw(bytes)
    .bytes();
}

/** INIT of a kernel that speaks `major`.`minor`, with the 64 bytes sent since Linux 5.17. */
export function initMessage(major: number, minor: number, flags: bigint): Uint8Array<ArrayBuffer> {
  const body = new Fields()
    .u32(major, minor, 128 * 1024, Number(flags & 0xffff_ffffn), Number(flags >> 32n))
    .raw(new Uint8Array(44));
  return kernelMessage(26, body, { unique: 2, node: 0, pid: 0 });
}

/** Lower-case hexadecimal digits of `bytes`, a space before every eighth byte. */
export function hex(bytes: Uint8Array): string {
  const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/(.{16})(?=.)/g, "$1 ");
}
