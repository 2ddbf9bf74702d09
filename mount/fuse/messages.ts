/**
 * What the kernel asks and what it is answered, as values. `decode.ts` and `encode.ts` turn these
 * into bytes, `session.ts` carries them, `mount/fs` gives them meaning. Types only.
 */

declare const nodeBrand: unique symbol;
declare const handleBrand: unique symbol;
declare const requestBrand: unique symbol;

/** An inode as the kernel names it (nodeid); below 2^53, never 0, 1 is the root of the mount. */
export type NodeId = number & { readonly [nodeBrand]: true };
/** An open file or directory as the kernel names it (fh). */
export type HandleId = number & { readonly [handleBrand]: true };
/** A request as the kernel names it (unique), without the resend bit. */
export type RequestId = number & { readonly [requestBrand]: true };

/** A positive error number of `cache/platform/errno.ts`. */
export type Errno = number;

/** Fields of every request (struct fuse_in_header). */
export interface RequestHeader {
  readonly id: RequestId;
  readonly node: NodeId;
  /** Who asks; all zero for requests the kernel makes by itself. */
  readonly uid: number;
  readonly gid: number;
  /** Thread id in the mounter's pid namespace; 0 when not visible there. */
  readonly pid: number;
}

/** One lookup count to take back. */
export interface Forgotten {
  readonly node: NodeId;
  readonly lookups: number;
}

/** What each operation carries. Offsets and sizes in bytes. */
export type Operation =
  | { readonly op: "lookup"; readonly name: string }
  | { readonly op: "forget"; readonly forgotten: readonly Forgotten[] }
  | { readonly op: "getattr" }
  | { readonly op: "statx" }
  | { readonly op: "readlink" }
  | { readonly op: "open"; readonly flags: number }
  | {
    readonly op: "read";
    readonly handle: HandleId;
    readonly offset: number;
    readonly size: number;
  }
  | { readonly op: "release"; readonly handle: HandleId }
  | { readonly op: "flush" }
  | { readonly op: "opendir" }
  | {
    readonly op: "readdir";
    readonly handle: HandleId;
    /** Position to go on from: 0, or the cookie of an entry returned before. */
    readonly cookie: number;
    /** Collects the records of the reply until it is full. */
    readonly records: DirectoryRecords;
  }
  | { readonly op: "releasedir"; readonly handle: HandleId }
  | { readonly op: "statfs" }
  | { readonly op: "access"; readonly mask: number }
  | {
    readonly op: "lseek";
    readonly handle: HandleId;
    readonly offset: number;
    readonly whence: "data" | "hole";
  }
  | { readonly op: "getxattr"; readonly name: string; readonly size: number }
  | { readonly op: "listxattr"; readonly size: number }
  | { readonly op: "ioctl" }
  | { readonly op: "destroy" }
  /** Any operation that would change the file system. */
  | { readonly op: "modify"; readonly name: string }
  /** An operation this program does not implement; the kernel then falls back by itself. */
  | { readonly op: "unsupported"; readonly name: string };

/** A request for the file system. */
export type Request = RequestHeader & Operation;

/** A kernel message that cannot be carried out as it stands. */
export interface MalformedMessage {
  readonly id: RequestId | null;
  readonly reason: string;
}

/** The kernel's first message: what it offers (struct fuse_init_in). */
export interface InitRequest {
  readonly id: RequestId;
  readonly major: number;
  readonly minor: number;
  readonly readAheadBytes: number;
  /** Capability bits: `flags` in the low, `flags2` in the high 32. */
  readonly flags: bigint;
}

/** What was agreed (struct fuse_init_out). */
export interface InitReply {
  readonly minor: number;
  readonly readAheadBytes: number;
  readonly flags: bigint;
  readonly maxBackground: number;
  readonly congestionThreshold: number;
  readonly maxWriteBytes: number;
  readonly maxPages: number;
  /** How deep passthrough files may be stacked: 0 without passthrough. */
  readonly maxStackDepth: number;
}

/** A point in time, as the kernel stores it. */
export interface Time {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** Attributes of an inode (struct fuse_attr). */
export interface Attributes {
  /** st_ino. */
  readonly inode: number;
  readonly sizeBytes: number;
  /** Space in units of 512 bytes. */
  readonly blocks: number;
  readonly accessed: Time;
  readonly modified: Time;
  readonly changed: Time;
  /** File type and permission bits. */
  readonly mode: number;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
}

/** A name that was found, and for how long the kernel may believe it (struct fuse_entry_out). */
export interface FoundEntry {
  readonly node: NodeId;
  readonly attributes: Attributes;
  readonly entryValidMs: number;
  readonly attributesValidMs: number;
}

/** One record of a directory. */
export interface DirectoryRecord {
  readonly name: string;
  readonly inode: number;
  /** File type bits of a mode (S_IFMT). */
  readonly type: number;
  /** Position after this record. */
  readonly cookie: number;
}

/** A reply to READDIR or READDIRPLUS while it is being filled. */
export interface DirectoryRecords {
  /** Whether records carry attributes, which makes the kernel count a lookup for each found one. */
  readonly plus: boolean;
  /** Appends a record; false when it no longer fits, and then nothing was appended. */
  add(record: DirectoryRecord, found: FoundEntry | null): boolean;
}

/** How the kernel is to treat an opened file. */
export type OpenedAs =
  /** Through the page cache, kept from the last open of this inode. */
  | { readonly mode: "cached" }
  /** The kernel reads the registered backing file itself. */
  | { readonly mode: "passthrough"; readonly backingId: number }
  /** A directory; the page cache may keep its listing, and reuse it from the last open. */
  | { readonly mode: "directory"; readonly listing: "uncached" | "fill" | "reuse" };

/** Space and limits of the file system (struct fuse_kstatfs). */
export interface FileSystemStatus {
  readonly blockBytes: number;
  readonly blocks: number;
  readonly files: number;
  readonly nameBytesMax: number;
}

/**
 * The answer to one request. Replies that make the kernel count something (a lookup, an open)
 * carry `withdraw`, which is called when the kernel did not take them: nothing was counted then.
 */
export type Reply =
  | { readonly kind: "error"; readonly errno: Errno }
  | { readonly kind: "empty" }
  /** The request takes no answer (FORGET). */
  | { readonly kind: "none" }
  | { readonly kind: "entry"; readonly entry: FoundEntry; readonly withdraw: () => void }
  /** The name does not exist, and need not be asked for again for a while. */
  | { readonly kind: "absent"; readonly validMs: number }
  | { readonly kind: "attributes"; readonly attributes: Attributes; readonly validMs: number }
  | { readonly kind: "statx"; readonly attributes: Attributes; readonly validMs: number }
  | {
    readonly kind: "opened";
    readonly handle: HandleId;
    readonly as: OpenedAs;
    readonly withdraw: () => void;
  }
  /** Raw bytes; `release` is called once they are written, or will never be. */
  | {
    readonly kind: "bytes";
    readonly bytes: Uint8Array<ArrayBuffer>;
    readonly release: () => void;
  }
  | {
    readonly kind: "records";
    readonly records: DirectoryRecords;
    readonly withdraw: () => void;
  }
  | { readonly kind: "statfs"; readonly status: FileSystemStatus }
  | { readonly kind: "size"; readonly sizeBytes: number }
  | { readonly kind: "offset"; readonly offset: number };

/** What serves requests. */
export interface Handler {
  /**
   * Answers `request`, at once where nothing has to be waited for. A reply returned at once is
   * written before the next call, so its bytes may live in memory that is reused. `signal` aborts
   * when the caller was let go; the reply is then dropped. Never rejects for what a caller, a
   * store or a disk can cause: those are error replies.
   */
  handle(request: Request, signal: LazySignal): Reply | Promise<Reply>;
}

/** Gives an AbortSignal only to those who ask: most requests are answered without waiting. */
export interface LazySignal {
  get(): AbortSignal;
}

/** Messages from here to the kernel that answer no request. */
export type Notification =
  /** Drop the kernel's cached name (and with it the idle inode behind it). */
  | { readonly kind: "forget_entry"; readonly parent: NodeId; readonly name: string }
  /** Drop idle inodes, from Linux 6.18 on. */
  | { readonly kind: "prune"; readonly nodes: readonly NodeId[] };
