/**
 * The FUSE kernel protocol 7.45 as numbers: opcodes, flags, sizes and struct offsets of
 * include/uapi/linux/fuse.h. No logic.
 */

export const FUSE_MAJOR = 7;
/** Newest minor version this program knows; replying it makes the kernel use current layouts. */
export const FUSE_MINOR_MAX = 45;
/** Oldest one it accepts (Linux 5.4): all layouts below are unchanged since. */
export const FUSE_MINOR_MIN = 31;

export const IN_HEADER_BYTES = 40;
export const OUT_HEADER_BYTES = 16;
/** Smallest read buffer the kernel accepts (FUSE_MIN_READ_BUFFER). */
export const READ_BUFFER_BYTES_MIN = 8192;
export const INIT_OUT_BYTES = 64;
export const ATTR_BYTES = 88;
export const ENTRY_OUT_BYTES = 128;
export const ATTR_OUT_BYTES = 104;
export const OPEN_OUT_BYTES = 16;
export const STATFS_OUT_BYTES = 80;
export const STATX_OUT_BYTES = 288;
export const DIRENT_HEADER_BYTES = 24;

/** How the body of a request is decoded. */
export type BodyLayout =
  | "none"
  | "name"
  | "forget"
  | "batch_forget"
  | "open"
  | "read"
  | "handle"
  | "readdir"
  | "access"
  | "lseek"
  | "getxattr"
  | "listxattr"
  | "interrupt"
  | "init";

/** One operation: its kernel name in lower case, its shortest body, and how it is treated. */
export interface OpcodeRow {
  readonly name: string;
  readonly bodyBytesMin: number;
  readonly layout: BodyLayout;
  readonly treatment: "serve" | "modify" | "unsupported" | "session";
}

function serve(name: string, bodyBytesMin: number, layout: BodyLayout): OpcodeRow {
  return { name, bodyBytesMin, layout, treatment: "serve" };
}
function modify(name: string): OpcodeRow {
  return { name, bodyBytesMin: 0, layout: "none", treatment: "modify" };
}
function unsupported(name: string): OpcodeRow {
  return { name, bodyBytesMin: 0, layout: "none", treatment: "unsupported" };
}
function session(name: string, bodyBytesMin: number, layout: BodyLayout): OpcodeRow {
  return { name, bodyBytesMin, layout, treatment: "session" };
}

/** Every opcode of the protocol. */
export const OPCODES: ReadonlyMap<number, OpcodeRow> = new Map([
  [1, serve("lookup", 2, "name")],
  [2, serve("forget", 8, "forget")],
  [3, serve("getattr", 16, "none")],
  [4, modify("setattr")],
  [5, serve("readlink", 0, "none")],
  [6, modify("symlink")],
  [8, modify("mknod")],
  [9, modify("mkdir")],
  [10, modify("unlink")],
  [11, modify("rmdir")],
  [12, modify("rename")],
  [13, modify("link")],
  [14, serve("open", 8, "open")],
  [15, serve("read", 40, "read")],
  [16, modify("write")],
  [17, serve("statfs", 0, "none")],
  [18, serve("release", 24, "handle")],
  [20, unsupported("fsync")],
  [21, modify("setxattr")],
  [22, serve("getxattr", 10, "getxattr")],
  [23, serve("listxattr", 8, "listxattr")],
  [24, modify("removexattr")],
  [25, serve("flush", 24, "none")],
  [26, session("init", 16, "init")],
  [27, serve("opendir", 8, "none")],
  [28, serve("readdir", 40, "readdir")],
  [29, serve("releasedir", 24, "handle")],
  [30, unsupported("fsyncdir")],
  [31, unsupported("getlk")],
  [32, unsupported("setlk")],
  [33, unsupported("setlkw")],
  [34, serve("access", 8, "access")],
  [35, modify("create")],
  [36, session("interrupt", 8, "interrupt")],
  [37, unsupported("bmap")],
  [38, serve("destroy", 0, "none")],
  [39, serve("ioctl", 0, "none")],
  [40, unsupported("poll")],
  [41, unsupported("notify_reply")],
  [42, serve("batch_forget", 8, "batch_forget")],
  [43, modify("fallocate")],
  [44, serve("readdirplus", 40, "readdir")],
  [45, modify("rename2")],
  [46, serve("lseek", 24, "lseek")],
  [47, modify("copy_file_range")],
  [48, unsupported("setupmapping")],
  [49, unsupported("removemapping")],
  [50, unsupported("syncfs")],
  [51, modify("tmpfile")],
  [52, serve("statx", 24, "none")],
  [53, modify("copy_file_range_64")],
]);

export const OP_READDIRPLUS = 44;

/** INIT capability bits, `flags2` shifted up by 32. */
export const INIT = {
  ASYNC_READ: 1n << 0n,
  DO_READDIRPLUS: 1n << 13n,
  READDIRPLUS_AUTO: 1n << 14n,
  PARALLEL_DIROPS: 1n << 18n,
  ABORT_ERROR: 1n << 21n,
  MAX_PAGES: 1n << 22n,
  CACHE_SYMLINKS: 1n << 23n,
  EXPLICIT_INVAL_DATA: 1n << 25n,
  INIT_EXT: 1n << 30n,
  DIRECT_IO_ALLOW_MMAP: 1n << 36n,
  PASSTHROUGH: 1n << 37n,
  NO_EXPORT_SUPPORT: 1n << 38n,
} as const;

/** FOPEN_* bits of struct fuse_open_out. */
export const FOPEN = {
  KEEP_CACHE: 2,
  CACHE_DIR: 8,
  NOFLUSH: 32,
  PASSTHROUGH: 128,
} as const;

/** Notification codes (enum fuse_notify_code). */
export const NOTIFY = {
  INVAL_ENTRY: 3,
  PRUNE: 9,
} as const;

/** First protocol minor with FUSE_NOTIFY_PRUNE (Linux 6.18). */
export const PRUNE_MINOR = 45;

/** ioctl numbers of /dev/fuse. */
export const DEVICE_IOCTL = {
  BACKING_OPEN: 0x4010e501,
  BACKING_CLOSE: 0x4004e502,
} as const;

/** `whence` values of LSEEK that reach a server (linux/fs.h). */
export const SEEK_DATA = 3;
export const SEEK_HOLE = 4;
