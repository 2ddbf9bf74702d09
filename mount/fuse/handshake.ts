/** INIT negotiation: what the kernel offers × what the mount wants → what is agreed. Pure. */
import { FUSE_MAJOR, FUSE_MINOR_MAX, FUSE_MINOR_MIN, INIT, PRUNE_MINOR } from "./abi.ts";
import type { InitReply, InitRequest } from "./messages.ts";

/** What the mount would like. */
export interface Wanted {
  readonly readAheadBytes: number;
  readonly maxBackground: number;
  readonly congestionThreshold: number;
  readonly passthrough: boolean;
  /** Stack depth of the files that passthrough will hand out: 2 when they lie on overlayfs. */
  readonly stackDepth: 1 | 2;
  /** The kernel counts READ sizes in pages, which are up to 64 KiB on aarch64. */
  readonly pageBytes: number;
}

/** How a handshake step ends. */
export type Handshake =
  | { readonly kind: "agreed"; readonly reply: InitReply; readonly features: KernelFeatures }
  /** The kernel speaks a newer major version: it will ask again after hearing ours. */
  | { readonly kind: "retry" }
  | { readonly kind: "refused"; readonly reason: string };

/** What this kernel can do for this mount. */
export interface KernelFeatures {
  readonly minor: number;
  readonly passthrough: boolean;
  /** Idle inodes can be dropped by number (FUSE_NOTIFY_PRUNE). */
  readonly prune: boolean;
}

/**
 * Wanted whenever offered; `mount/DESIGN.md` says why each. ASYNC_DIO is not: with it the kernel
 * waits for an O_DIRECT read without heeding signals, SIGKILL included (fuse_direct_IO).
 */
const ALWAYS_WANTED = INIT.ASYNC_READ | INIT.DO_READDIRPLUS | INIT.READDIRPLUS_AUTO |
  INIT.PARALLEL_DIROPS | INIT.ABORT_ERROR | INIT.MAX_PAGES |
  INIT.CACHE_SYMLINKS | INIT.EXPLICIT_INVAL_DATA | INIT.INIT_EXT | INIT.DIRECT_IO_ALLOW_MMAP |
  INIT.NO_EXPORT_SUPPORT;

/** Bytes of the largest READ: 256 pages of 4 KiB, the kernel's default limit. */
export const READ_BYTES_MAX = 1024 * 1024;
/** Nothing is written, but the read buffer must hold `max_write`, and FORGET batches fill it. */
export const MAX_WRITE_BYTES = 64 * 1024;

/** One step of the handshake. */
export function negotiate(init: InitRequest, wanted: Wanted): Handshake {
  if (init.major > FUSE_MAJOR) return { kind: "retry" };
  if (init.major < FUSE_MAJOR || init.minor < FUSE_MINOR_MIN) {
    const spoken = `${init.major}.${init.minor}`;
    return {
      kind: "refused",
      reason: `the kernel speaks FUSE ${spoken}, but ${FUSE_MAJOR}.${FUSE_MINOR_MIN} is needed`,
    };
  }
  const minor = Math.min(init.minor, FUSE_MINOR_MAX);
  const passthrough = wanted.passthrough && (init.flags & INIT.PASSTHROUGH) !== 0n;
  const flags = init.flags & (ALWAYS_WANTED | (passthrough ? INIT.PASSTHROUGH : 0n));
  return {
    kind: "agreed",
    features: { minor, passthrough, prune: init.minor >= PRUNE_MINOR },
    reply: {
      minor,
      // Before 7.46 the reply can only lower what the kernel offers.
      readAheadBytes: Math.max(init.readAheadBytes, wanted.readAheadBytes),
      flags,
      maxBackground: wanted.maxBackground,
      congestionThreshold: wanted.congestionThreshold,
      maxWriteBytes: MAX_WRITE_BYTES,
      maxPages: Math.max(1, READ_BYTES_MAX / wanted.pageBytes),
      maxStackDepth: passthrough ? wanted.stackDepth : 0,
    },
  };
}
