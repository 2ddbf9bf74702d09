/**
 * The contract between WarpDrive and an object store.
 *
 * A backend is one configured place: a container, a bucket, a local directory, below an optional
 * prefix. Paths are relative to it: `""` is its root, segments are separated by `/`, there is no
 * leading or trailing slash and no `.`, `..` or empty segment. Names hold bytes as described in
 * `cache/platform/byte_name.ts`.
 *
 * Providers implement the contract bare; retry, deadlines, concurrency, metrics and health are
 * decorators stacked in `open.ts`. `tests/backend_conformance.ts` runs against every provider.
 */
import type { Checksum } from "./checksum.ts";

/** The kinds of store that can be configured. */
export const PROVIDERS = ["azureblob", "s3", "gcs", "local", "memory"] as const;
export type Provider = (typeof PROVIDERS)[number];

/** A point in time with the nanoseconds file systems keep. */
export interface Timestamp {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** What a local file system knows of a file and an object store does not. Sizes in bytes. */
export interface PosixAttributes {
  /** Permission bits, without the file type. */
  readonly permissions: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  /** Allocated space in units of 512 bytes. */
  readonly blocks: number;
  readonly accessed: Timestamp;
  readonly changed: Timestamp;
}

/** One version of an object. */
export interface ObjectEntry {
  readonly kind: "object";
  /** Last segment of its path. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly modified: Timestamp;
  /**
   * Identifies exactly these bytes: an ETag or generation, or (dev, ino, size, mtime, ctime) of a
   * local file. Equal versions of one path mean equal bytes.
   */
  readonly version: string;
  /** The store's ETag as users know it, without quotes; null where the store has none. */
  readonly etag: string | null;
  readonly posix: PosixAttributes | null;
}

/** A directory: a common prefix of keys, a placeholder object, or a real directory. */
export interface DirectoryEntry {
  readonly kind: "directory";
  readonly name: string;
  /** Null where the store does not know. */
  readonly modified: Timestamp | null;
  readonly posix: PosixAttributes | null;
}

/** A symbolic link of a local directory. */
export interface SymlinkEntry {
  readonly kind: "symlink";
  readonly name: string;
  /** Bytes of the target. */
  readonly sizeBytes: number;
  readonly modified: Timestamp;
  readonly posix: PosixAttributes | null;
}

export type Entry = ObjectEntry | DirectoryEntry | SymlinkEntry;

/** A part of a listing. */
export interface ListPage {
  /** Children of the directory, names unique within one page; a directory shadows an object. */
  readonly entries: readonly Entry[];
  /** Passed to the next call; null on the last page. An empty page may have a next one. */
  readonly next: string | null;
  /** Keys left out because a file system cannot show them (see `listableName`). */
  readonly unlistable: number;
}

/** One ranged read of one object version. */
export interface RangeRead {
  readonly path: string;
  readonly version: string;
  /** First byte wanted. */
  readonly offset: number;
  /** Receives the bytes; its length is the length of the range, which lies within the object. */
  readonly target: Uint8Array<ArrayBuffer>;
  /** Called each time more of `target` is final, with the bytes filled from its start. */
  readonly onFilled: (filledBytes: number) => void;
}

/** Bytes to store. `open` may be called again by a retry and then starts from the beginning. */
export interface Content {
  readonly sizeBytes: number;
  open(): AsyncIterable<Uint8Array<ArrayBuffer>>;
}

/**
 * Why an operation failed.
 *
 * - `not_found`: no such container, or no object to copy. An object that is absent is null to
 *   `stat` and `changed` to `read`.
 * - `changed`: the version asked for is not what the store has now; its bytes cannot be had.
 * - `denied`: the store refused the credentials, or they do not allow this.
 * - `throttled`: asked to slow down (429, 503); `retryAfterMs` when the store said for how long.
 * - `unavailable`: no answer or a broken one: connection refused, reset, 5xx, a body cut short.
 * - `timeout`: no progress within the deadline.
 * - `degraded`: not tried, because the last attempts failed; the backend is being probed.
 * - `invalid`: the store cannot hold this name or value.
 */
export type BackendErrorCode =
  | "not_found"
  | "changed"
  | "denied"
  | "throttled"
  | "unavailable"
  | "timeout"
  | "degraded"
  | "invalid";

/** The operations of a backend, as they appear in messages and metric labels. */
export type BackendOperation = "list" | "stat" | "read" | "put" | "remove" | "copy";

/** A failed operation: what was tried, on what, and why it failed. */
export class BackendError extends Error {
  override readonly name = "BackendError";

  /**
   * @param reason Current state and wanted state, e.g. `the container does not exist`.
   * @param hint What to run or change next; null when there is nothing useful to say.
   * @param retryAfterMs How long the store asked to be left alone; null when it did not say.
   */
  constructor(
    readonly code: BackendErrorCode,
    readonly backend: string,
    readonly operation: BackendOperation,
    readonly path: string,
    readonly reason: string,
    readonly hint: string | null = null,
    readonly retryAfterMs: number | null = null,
    options: ErrorOptions = {},
  ) {
    super(`Cannot ${operation} "${path}" of backend "${backend}": ${reason}`, options);
  }
}

/** One object store, or one prefix of it. Every method may be called concurrently. */
export interface Backend extends AsyncDisposable {
  /** The configured name, unique within a mount. */
  readonly name: string;
  readonly provider: Provider;

  /**
   * Children of `directory`, one page at a time, in the store's own order. Does not tell an empty
   * directory from a missing one on stores that have no directories.
   *
   * @param token `next` of the page before, or null for the first page.
   */
  list(directory: string, token: string | null, signal: AbortSignal): Promise<ListPage>;

  /** What is at `path` now, or null when nothing is. The root always exists. */
  stat(path: string, signal: AbortSignal): Promise<Entry | null>;

  /**
   * Fills `range.target` with bytes of exactly `range.version`. A body that ends early is
   * `unavailable`, a version that is gone is `changed`. When it rejects, only the bytes announced
   * by `onFilled` are valid.
   */
  read(range: RangeRead, signal: AbortSignal): Promise<void>;

  /**
   * The checksum that the store keeps of exactly `version`; null when it keeps none, or has another
   * version by now. What it is worth is up to who wrote the object: some stores keep what they are
   * told.
   */
  checksum(path: string, version: string, signal: AbortSignal): Promise<Checksum | null>;

  /** Creates or replaces the object at `path` and returns it. */
  put(path: string, content: Content, signal: AbortSignal): Promise<ObjectEntry>;

  /** Deletes the object at `path`; succeeds when there is none. */
  remove(path: string, signal: AbortSignal): Promise<void>;

  /** Copies within the store, without the bytes passing through here, and returns the copy. */
  copy(from: string, to: string, signal: AbortSignal): Promise<ObjectEntry>;
}

/** Longest name the kernel accepts: NAME_MAX of linux/limits.h, in bytes. */
export const NAME_BYTES_MAX = 255;

const encoder = new TextEncoder();

/** Whether a file system can show `name` as one entry of a directory. */
export function listableName(name: string): boolean {
  if (name === "" || name === "." || name === ".." || name.includes("\0")) return false;
  // A UTF-16 unit takes at most three bytes of UTF-8, so most names need no encoding to be sure.
  return name.length * 3 <= NAME_BYTES_MAX || encoder.encode(name).length <= NAME_BYTES_MAX;
}

/** The path of `name` within `directory`. */
export function joinPath(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}

/** The last segment of `path`; `""` for the root. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
