/**
 * {@linkcode Reply} and {@linkcode Notification} values → bytes of one kernel message. Pure: the
 * session writes them.
 */
import { assert } from "../../cache/platform/assert.ts";
import { encodeName } from "../../cache/platform/byte_name.ts";
import { ERRNO } from "../../cache/platform/errno.ts";
import {
  ATTR_BYTES,
  ATTR_OUT_BYTES,
  DIRENT_HEADER_BYTES,
  ENTRY_OUT_BYTES,
  FOPEN,
  FUSE_MAJOR,
  INIT_OUT_BYTES,
  NOTIFY,
  OPEN_OUT_BYTES,
  OUT_HEADER_BYTES,
  STATFS_OUT_BYTES,
  STATX_OUT_BYTES,
} from "./abi.ts";
import type {
  Attributes,
  DirectoryRecord,
  DirectoryRecords,
  FileSystemStatus,
  FoundEntry,
  InitReply,
  InitRequest,
  Notification,
  OpenedAs,
  Reply,
  RequestId,
  Time,
} from "./messages.ts";

/** Largest directory reply built at once, whatever buffer the caller offers. */
const RECORDS_BYTES_MAX = 128 * 1024;
/** Preferred I/O size told to callers; a power of two, as the kernel demands. */
const BLOCK_BYTES = 4096;
const STATX_BASIC_STATS = 0x7ff;

/** One message: a header with fixed fields and, for bulk data, the bytes that follow it. */
export interface Message {
  readonly head: Uint8Array<ArrayBuffer>;
  readonly tail: Uint8Array<ArrayBuffer> | null;
}

/** Builds replies in one reused buffer: a message is valid until the next one is built. */
export class ReplyEncoder {
  readonly #bytes = new Uint8Array(OUT_HEADER_BYTES + STATX_OUT_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);

  /** The answer `reply` to request `id`, or null when it takes none. */
  encode(id: RequestId, reply: Reply): Message | null {
    switch (reply.kind) {
      case "none":
        return null;
      case "error":
        return this.#finish(id, 0, null, reply.errno);
      case "empty":
        return this.#finish(id, 0, null);
      case "entry":
        this.#clear(ENTRY_OUT_BYTES);
        writeEntry(this.#view, OUT_HEADER_BYTES, reply.entry);
        return this.#finish(id, ENTRY_OUT_BYTES, null);
      case "absent":
        // Node 0 with a validity is how a missing name is cached (a negative dentry).
        this.#clear(ENTRY_OUT_BYTES);
        writeValidity(this.#view, OUT_HEADER_BYTES + 16, OUT_HEADER_BYTES + 32, reply.validMs);
        return this.#finish(id, ENTRY_OUT_BYTES, null);
      case "attributes":
        this.#clear(ATTR_OUT_BYTES);
        writeValidity(this.#view, OUT_HEADER_BYTES, OUT_HEADER_BYTES + 8, reply.validMs);
        writeAttributes(this.#view, OUT_HEADER_BYTES + 16, reply.attributes);
        return this.#finish(id, ATTR_OUT_BYTES, null);
      case "statx":
        this.#clear(STATX_OUT_BYTES);
        writeValidity(this.#view, OUT_HEADER_BYTES, OUT_HEADER_BYTES + 8, reply.validMs);
        writeStatx(this.#view, OUT_HEADER_BYTES + 32, reply.attributes);
        return this.#finish(id, STATX_OUT_BYTES, null);
      case "opened":
        this.#clear(OPEN_OUT_BYTES);
        writeOpened(this.#view, OUT_HEADER_BYTES, reply.handle, reply.as);
        return this.#finish(id, OPEN_OUT_BYTES, null);
      case "bytes":
        return this.#finish(id, 0, reply.bytes.length === 0 ? null : reply.bytes);
      case "records":
        return this.#finish(id, 0, recordsTail(reply.records));
      case "statfs":
        this.#clear(STATFS_OUT_BYTES);
        writeStatfs(this.#view, OUT_HEADER_BYTES, reply.status);
        return this.#finish(id, STATFS_OUT_BYTES, null);
      case "size":
        this.#clear(8);
        this.#view.setUint32(OUT_HEADER_BYTES, reply.sizeBytes, true);
        return this.#finish(id, 8, null);
      case "offset":
        writeUint64(this.#view, OUT_HEADER_BYTES, reply.offset);
        return this.#finish(id, 8, null);
    }
  }

  #clear(bodyBytes: number): void {
    this.#bytes.fill(0, OUT_HEADER_BYTES, OUT_HEADER_BYTES + bodyBytes);
  }

  #finish(
    id: RequestId,
    bodyBytes: number,
    tail: Uint8Array<ArrayBuffer> | null,
    errno = 0,
  ): Message {
    assert(errno >= 0 && errno < 512, `Errno ${errno} is one the kernel accepts`);
    const headBytes = OUT_HEADER_BYTES + bodyBytes;
    writeOutHeader(this.#view, headBytes + (tail?.length ?? 0), -errno, id);
    return { head: this.#bytes.subarray(0, headBytes), tail };
  }
}

/** The answer to INIT; null asks a kernel of a newer major version to try again with ours. */
export function encodeInit(init: InitRequest, agreed: InitReply | null): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(OUT_HEADER_BYTES + INIT_OUT_BYTES);
  const view = new DataView(bytes.buffer);
  writeOutHeader(view, bytes.length, 0, init.id);
  const body = OUT_HEADER_BYTES;
  view.setUint32(body, FUSE_MAJOR, true);
  if (agreed === null) return bytes;
  view.setUint32(body + 4, agreed.minor, true);
  view.setUint32(body + 8, agreed.readAheadBytes, true);
  view.setUint32(body + 12, Number(agreed.flags & 0xffff_ffffn), true);
  view.setUint16(body + 16, agreed.maxBackground, true);
  view.setUint16(body + 18, agreed.congestionThreshold, true);
  view.setUint32(body + 20, agreed.maxWriteBytes, true);
  view.setUint32(body + 24, 1, true); // time_gran: nanoseconds
  view.setUint16(body + 28, agreed.maxPages, true);
  view.setUint32(body + 32, Number(agreed.flags >> 32n), true);
  view.setUint32(body + 36, agreed.maxStackDepth, true);
  return bytes;
}

/** An error answer to INIT, which makes the mount unusable and says why to its first user. */
export function encodeInitError(init: InitRequest): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(OUT_HEADER_BYTES);
  writeOutHeader(new DataView(bytes.buffer), bytes.length, -ERRNO.EIO, init.id);
  return bytes;
}

/** A message of our own to the kernel: its `error` field carries the code, its id is 0. */
export function encodeNotification(notification: Notification): Uint8Array<ArrayBuffer> {
  switch (notification.kind) {
    case "forget_entry": {
      const name = encodeName(notification.name);
      const bytes = new Uint8Array(OUT_HEADER_BYTES + 16 + name.length + 1);
      const view = new DataView(bytes.buffer);
      writeOutHeader(view, bytes.length, NOTIFY.INVAL_ENTRY, 0);
      writeUint64(view, OUT_HEADER_BYTES, notification.parent);
      view.setUint32(OUT_HEADER_BYTES + 8, name.length, true);
      bytes.set(name, OUT_HEADER_BYTES + 16);
      return bytes;
    }
    case "prune": {
      const bytes = new Uint8Array(OUT_HEADER_BYTES + 16 + notification.nodes.length * 8);
      const view = new DataView(bytes.buffer);
      writeOutHeader(view, bytes.length, NOTIFY.PRUNE, 0);
      view.setUint32(OUT_HEADER_BYTES, notification.nodes.length, true);
      notification.nodes.forEach((node, index) =>
        writeUint64(view, OUT_HEADER_BYTES + 16 + index * 8, node)
      );
      return bytes;
    }
  }
}

/** Packs directory records into a reply of at most the size the kernel asked for. */
export class RecordsBuffer implements DirectoryRecords {
  readonly plus: boolean;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  #filled = 0;

  constructor(size: number, plus: boolean) {
    this.plus = plus;
    this.#bytes = new Uint8Array(Math.min(size, RECORDS_BYTES_MAX));
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** What has been packed so far. */
  get filled(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#filled);
  }

  add(record: DirectoryRecord, found: FoundEntry | null): boolean {
    const start = this.#filled + (this.plus ? ENTRY_OUT_BYTES : 0);
    const nameStart = start + DIRENT_HEADER_BYTES;
    const nameBytes = this.#putName(record.name, nameStart);
    const end = nameStart + Math.ceil(nameBytes / 8) * 8;
    if (end > this.#bytes.length) {
      // What did not fit leaves no trace in the space behind the records.
      this.#bytes.fill(0, nameStart);
      return false;
    }
    if (this.plus && found !== null) writeEntry(this.#view, this.#filled, found);
    writeUint64(this.#view, start, record.inode);
    writeUint64(this.#view, start + 8, record.cookie);
    this.#view.setUint32(start + 16, nameBytes, true);
    this.#view.setUint32(start + 20, record.type >>> 12, true);
    this.#filled = end;
    return true;
  }

  /** Writes `name` at `start` as far as there is room, and returns its length in bytes. */
  #putName(name: string, start: number): number {
    for (let index = 0; index < name.length; index += 1) {
      const code = name.charCodeAt(index);
      if (code >= 0x80) {
        // Names are nearly always ASCII; the encoder is a call into the runtime.
        const bytes = encodeName(name);
        if (start + bytes.length <= this.#bytes.length) this.#bytes.set(bytes, start);
        return bytes.length;
      }
      this.#bytes[start + index] = code;
    }
    return name.length;
  }
}

function recordsTail(records: DirectoryRecords): Uint8Array<ArrayBuffer> | null {
  assert(records instanceof RecordsBuffer, "Directory records come from this session's requests");
  return records.filled.length === 0 ? null : records.filled;
}

function writeOutHeader(view: DataView, length: number, error: number, id: number): void {
  view.setUint32(0, length, true);
  view.setInt32(4, error, true);
  writeUint64(view, 8, id);
}

function writeEntry(view: DataView, offset: number, entry: FoundEntry): void {
  writeUint64(view, offset, entry.node);
  writeUint64(view, offset + 8, 0); // generation: node ids are never reused
  writeValidity(view, offset + 16, offset + 32, entry.entryValidMs);
  writeValidity(view, offset + 24, offset + 36, entry.attributesValidMs);
  writeAttributes(view, offset + 40, entry.attributes);
}

function writeAttributes(view: DataView, offset: number, attributes: Attributes): void {
  writeUint64(view, offset, attributes.inode);
  writeUint64(view, offset + 8, attributes.sizeBytes);
  writeUint64(view, offset + 16, attributes.blocks);
  writeInt64(view, offset + 24, attributes.accessed.seconds);
  writeInt64(view, offset + 32, attributes.modified.seconds);
  writeInt64(view, offset + 40, attributes.changed.seconds);
  view.setUint32(offset + 48, attributes.accessed.nanoseconds, true);
  view.setUint32(offset + 52, attributes.modified.nanoseconds, true);
  view.setUint32(offset + 56, attributes.changed.nanoseconds, true);
  view.setUint32(offset + 60, attributes.mode, true);
  view.setUint32(offset + 64, attributes.links, true);
  view.setUint32(offset + 68, attributes.uid, true);
  view.setUint32(offset + 72, attributes.gid, true);
  view.setUint32(offset + 76, 0, true); // rdev: there are no device files
  view.setUint32(offset + 80, BLOCK_BYTES, true);
  view.setUint32(offset + ATTR_BYTES - 4, 0, true);
}

function writeStatx(view: DataView, offset: number, attributes: Attributes): void {
  view.setUint32(offset, STATX_BASIC_STATS, true);
  view.setUint32(offset + 4, BLOCK_BYTES, true);
  view.setUint32(offset + 16, attributes.links, true);
  view.setUint32(offset + 20, attributes.uid, true);
  view.setUint32(offset + 24, attributes.gid, true);
  view.setUint16(offset + 28, attributes.mode, true);
  writeUint64(view, offset + 32, attributes.inode);
  writeUint64(view, offset + 40, attributes.sizeBytes);
  writeUint64(view, offset + 48, attributes.blocks);
  writeStatxTime(view, offset + 64, attributes.accessed);
  writeStatxTime(view, offset + 96, attributes.changed);
  writeStatxTime(view, offset + 112, attributes.modified);
}

function writeStatxTime(view: DataView, offset: number, time: Time): void {
  writeInt64(view, offset, time.seconds);
  view.setUint32(offset + 8, time.nanoseconds, true);
}

function writeOpened(view: DataView, offset: number, handle: number, as: OpenedAs): void {
  writeUint64(view, offset, handle);
  view.setUint32(offset + 8, openFlags(as), true);
  view.setInt32(offset + 12, as.mode === "passthrough" ? as.backingId : 0, true);
}

function openFlags(as: OpenedAs): number {
  switch (as.mode) {
    // NOFLUSH saves a round trip per close(2): nothing is ever written back.
    case "cached":
      return FOPEN.KEEP_CACHE | FOPEN.NOFLUSH;
    // KEEP_CACHE beside PASSTHROUGH is refused with EIO.
    case "passthrough":
      return FOPEN.PASSTHROUGH | FOPEN.NOFLUSH;
    case "directory":
      return as.listing === "uncached"
        ? 0
        : as.listing === "fill"
        ? FOPEN.CACHE_DIR
        : FOPEN.CACHE_DIR | FOPEN.KEEP_CACHE;
  }
}

function writeStatfs(view: DataView, offset: number, status: FileSystemStatus): void {
  writeUint64(view, offset, status.blocks);
  writeUint64(view, offset + 24, status.files);
  view.setUint32(offset + 40, status.blockBytes, true);
  view.setUint32(offset + 44, status.nameBytesMax, true);
  view.setUint32(offset + 48, status.blockBytes, true);
}

function writeValidity(view: DataView, seconds: number, nanoseconds: number, ms: number): void {
  writeUint64(view, seconds, Math.floor(ms / 1000));
  view.setUint32(nanoseconds, Math.floor(ms % 1000) * 1_000_000, true);
}

function writeUint64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value >>> 0, true);
  view.setUint32(offset + 4, Math.floor(value / 2 ** 32), true);
}

/** Times before 1970 are negative. */
function writeInt64(view: DataView, offset: number, value: number): void {
  if (value >= 0) writeUint64(view, offset, value);
  else view.setBigInt64(offset, BigInt(value), true);
}
