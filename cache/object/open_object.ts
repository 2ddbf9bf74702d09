/**
 * The one interface through which reads ask for bytes of an object version. Behind it: a file of a
 * local backend (`local_object.ts`) or the store itself (`read_through.ts`).
 */
import type { ObjectEntry } from "../backend/backend.ts";
import type { Lease } from "../fetch/buffer_pool.ts";
import type { Memory } from "../platform/libc.ts";

/** One object version, open for reading. Reads throw `BackendError`. */
export interface OpenObject {
  /**
   * The version all bytes come from. A local file may be a later one than was asked for, which only
   * passthrough may show: the page cache of a node holds bytes of the node's version.
   */
  readonly entry: ObjectEntry;
  /**
   * A file on this machine that holds exactly these bytes at the same offsets, which the kernel
   * may read by itself; null when there is none.
   */
  readonly backingFd: number | null;
  /**
   * The bytes at `offset` where they can be had without waiting, otherwise null. Valid until the
   * next call of any object: they lie in a buffer that is shared.
   */
  readNow(offset: number, length: number): Memory | null;
  /** The bytes at `offset`, `length` of them; the range lies within the object. */
  read(offset: number, length: number, signal: AbortSignal): Promise<Lease>;
  /** The next data or hole at or after `offset`, which lies within the object. */
  seek(offset: number, whence: "data" | "hole"): number;
  /** Current attributes; a file in passthrough shows what it is now. */
  status(): ObjectEntry;
  /** The kernel was given the backing file for one more open: its reads are not seen here. */
  passedThrough(): void;
  close(): void;
}

/** A part of an object that is going to be read. */
export interface WantedRange {
  readonly path: string;
  readonly entry: ObjectEntry;
  /** For whom it is fetched. */
  readonly uid: number;
  readonly offset: number;
  readonly lengthBytes: number;
}

/** Opens object versions of one backend. */
export interface ObjectSource {
  /**
   * Opens `entry`, found at `path`, for the user `uid`; throws `changed` where that version is
   * known to be gone.
   */
  open(path: string, entry: ObjectEntry, uid: number): OpenObject | Promise<OpenObject>;
  /** Begins to fetch the first `lengthBytes` of an object that is likely to be opened next. */
  prefetch(path: string, entry: ObjectEntry, uid: number, lengthBytes: number): void;
  /**
   * Fetches what is missing of a range, as urgently as `prefetch` does; resolves when it is there,
   * with whether it is kept until somebody reads it. Throws `BackendError`.
   */
  bring(wanted: WantedRange, signal: AbortSignal): Promise<"kept" | "not kept">;
  /** Bytes of `entry` that are on this machine; null where nothing that is read is kept. */
  keptBytes(path: string, entry: ObjectEntry): Promise<number | null>;
}
