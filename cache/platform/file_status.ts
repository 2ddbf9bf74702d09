/** Status of a file as statx(2) reports it: struct statx of linux/stat.h, on all machines. */

/** Bytes of struct statx. */
export const STATX_BYTES = 256;
/** STATX_BASIC_STATS: everything stat(2) tells. */
export const STATX_BASIC_STATS = 0x7ff;

const S_IFMT = 0o170000;
const FILE_TYPES: ReadonlyMap<number, FileType> = new Map([
  [0o100000, "file"],
  [0o040000, "directory"],
  [0o120000, "symlink"],
]);

/** The types a read-only tree shows; everything else is `other`. */
export type FileType = "file" | "directory" | "symlink" | "other";

/** A file's status. Sizes in bytes, times as seconds and nanoseconds since the epoch. */
export interface FileStatus {
  readonly type: FileType;
  readonly permissions: number;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  readonly inode: bigint;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  readonly sizeBytes: number;
  /** Allocated space in units of 512 bytes. */
  readonly blocks: number;
  readonly accessed: { readonly seconds: number; readonly nanoseconds: number };
  readonly modified: { readonly seconds: number; readonly nanoseconds: number };
  readonly changed: { readonly seconds: number; readonly nanoseconds: number };
}

/** Reads a struct statx. */
export function parseStatx(view: DataView): FileStatus {
  const mode = view.getUint16(28, true);
  return {
    type: FILE_TYPES.get(mode & S_IFMT) ?? "other",
    permissions: mode & 0o7777,
    links: view.getUint32(16, true),
    uid: view.getUint32(20, true),
    gid: view.getUint32(24, true),
    inode: view.getBigUint64(32, true),
    deviceMajor: view.getUint32(136, true),
    deviceMinor: view.getUint32(140, true),
    sizeBytes: Number(view.getBigUint64(40, true)),
    blocks: Number(view.getBigUint64(48, true)),
    accessed: parseTime(view, 64),
    changed: parseTime(view, 96),
    modified: parseTime(view, 112),
  };
}

/** Whether a struct statx shows the size, mtime and ctime of `status`; allocates nothing. */
export function statxMatches(view: DataView, status: FileStatus): boolean {
  return timeMatches(view, 112, status.modified) && timeMatches(view, 96, status.changed) &&
    view.getUint32(44, true) * 2 ** 32 + view.getUint32(40, true) === status.sizeBytes;
}

function timeMatches(view: DataView, offset: number, time: FileStatus["modified"]): boolean {
  return view.getUint32(offset + 8, true) === time.nanoseconds &&
    view.getInt32(offset + 4, true) * 2 ** 32 + view.getUint32(offset, true) === time.seconds;
}

function parseTime(view: DataView, offset: number) {
  return {
    seconds: Number(view.getBigInt64(offset, true)),
    nanoseconds: view.getUint32(offset + 8, true),
  };
}
