/**
 * Flags of open(2) and openat2(2). Four of them differ between x86-64 and aarch64
 * (arch/arm64/include/uapi/asm/fcntl.h); the rest are asm-generic/fcntl.h.
 */

const COMMON = {
  RDONLY: 0,
  WRONLY: 0o1,
  RDWR: 0o2,
  ACCMODE: 0o3,
  CREAT: 0o100,
  EXCL: 0o200,
  TRUNC: 0o1000,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  CLOEXEC: 0o2000000,
  PATH: 0o10000000,
} as const;

const BY_ARCHITECTURE = {
  x86_64: { DIRECT: 0o40000, LARGEFILE: 0o100000, DIRECTORY: 0o200000, NOFOLLOW: 0o400000 },
  aarch64: { DIRECT: 0o200000, LARGEFILE: 0o400000, DIRECTORY: 0o40000, NOFOLLOW: 0o100000 },
} as const;

/** The flags on `architecture`. */
export function openFlagsOf(architecture: keyof typeof BY_ARCHITECTURE) {
  return { ...COMMON, ...BY_ARCHITECTURE[architecture] };
}

/** The flags on this machine. */
export const OPEN_FLAGS = openFlagsOf(Deno.build.arch === "aarch64" ? "aarch64" : "x86_64");

/** `resolve` flags of openat2(2) (linux/openat2.h). */
export const RESOLVE = {
  NO_MAGICLINKS: 0x02,
  NO_SYMLINKS: 0x04,
  BENEATH: 0x08,
  /** Fail with EAGAIN instead of waiting for anything that is not in the dentry cache. */
  CACHED: 0x20,
} as const;
