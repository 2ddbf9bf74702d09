/** The calls of the C library that tests make on a mount, and how they travel to the worker. */

/** Addresses are passed as numbers, so that tests can compose calls out of them. */
export const POSIX_SYMBOLS = {
  __errno_location: { parameters: [], result: "pointer" },
  access: { parameters: ["buffer", "i32"], result: "i32" },
  aligned_alloc: { parameters: ["usize", "usize"], result: "usize" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  chmod: { parameters: ["buffer", "u32"], result: "i32" },
  chown: { parameters: ["buffer", "u32", "u32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  closedir: { parameters: ["usize"], result: "i32" },
  free: { parameters: ["usize"], result: "void" },
  getdents64: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  getxattr: { parameters: ["buffer", "buffer", "buffer", "usize"], result: "isize" },
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  link: { parameters: ["buffer", "buffer"], result: "i32" },
  listxattr: { parameters: ["buffer", "buffer", "usize"], result: "isize" },
  lseek: { parameters: ["i32", "i64", "i32"], result: "i64" },
  memcpy: { parameters: ["buffer", "usize", "usize"], result: "usize" },
  mkdir: { parameters: ["buffer", "u32"], result: "i32" },
  mknod: { parameters: ["buffer", "u32", "u64"], result: "i32" },
  mmap: { parameters: ["usize", "usize", "i32", "i32", "i32", "i64"], result: "i64" },
  munmap: { parameters: ["usize", "usize"], result: "i32" },
  open: { parameters: ["buffer", "i32", "u32"], result: "i32" },
  opendir: { parameters: ["buffer"], result: "usize" },
  pread64: { parameters: ["i32", "usize", "usize", "i64"], result: "isize" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  readdir64: { parameters: ["usize"], result: "usize" },
  readlink: { parameters: ["buffer", "buffer", "usize"], result: "isize" },
  removexattr: { parameters: ["buffer", "buffer"], result: "i32" },
  rename: { parameters: ["buffer", "buffer"], result: "i32" },
  rmdir: { parameters: ["buffer"], result: "i32" },
  seekdir: { parameters: ["usize", "i64"], result: "void" },
  sendfile64: { parameters: ["i32", "i32", "buffer", "usize"], result: "isize" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  setxattr: { parameters: ["buffer", "buffer", "buffer", "usize", "i32"], result: "i32" },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  splice: { parameters: ["i32", "usize", "i32", "usize", "usize", "u32"], result: "isize" },
  statx: { parameters: ["i32", "buffer", "i32", "u32", "buffer"], result: "i32" },
  statfs64: { parameters: ["buffer", "buffer"], result: "i32" },
  symlink: { parameters: ["buffer", "buffer"], result: "i32" },
  telldir: { parameters: ["usize"], result: "i64" },
  truncate: { parameters: ["buffer", "i64"], result: "i32" },
  unlink: { parameters: ["buffer"], result: "i32" },
  utimensat: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  pipe: { parameters: ["buffer"], result: "i32" },
} as const;

export type PosixCall = Exclude<keyof typeof POSIX_SYMBOLS, "__errno_location">;

/** A number, the address of nothing, or bytes; text is passed with its NUL. */
export type PosixArgument = number | bigint | null | string | Uint8Array<ArrayBuffer>;

export interface PosixQuestion {
  readonly name: PosixCall;
  readonly args: readonly PosixArgument[];
  /** For calls that return a pointer. */
  readonly nullIsFailure: boolean;
}

export interface PosixAnswer {
  /** What the call returned, or a negated errno. */
  readonly result: number;
  /** Text and byte arguments after the call, in their order. */
  readonly buffers: readonly Uint8Array<ArrayBuffer>[];
}
