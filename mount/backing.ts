/** Files that the kernel reads by itself, registered with the mount's connection. */
import { ERRNO, errnoName } from "../cache/platform/errno.ts";
import type { Libc } from "../cache/platform/libc.ts";
import { OPEN_FLAGS } from "../cache/platform/open_flags.ts";
import type { Logger } from "../cache/platform/log.ts";
import type { BackingFiles } from "./fs/files.ts";
import type { Device } from "./fuse/device.ts";

const REASONS: ReadonlyMap<number, string> = new Map([
  [ERRNO.EPERM, "this process lacks CAP_SYS_ADMIN"],
  [ERRNO.ELOOP, "the files lie on a file system that is itself stacked too deep"],
  [ERRNO.EOPNOTSUPP, "the file system of the files does not support it"],
]);

/**
 * Backing files of `device`; `enabled` says whether INIT agreed on passthrough. Without it, or
 * where the kernel refuses a file, the daemon serves the file itself.
 */
export function backingFiles(
  device: Device,
  enabled: boolean,
  onOpened: (sizeBytes: number) => void,
  logger: Logger,
): BackingFiles {
  // Each reason is logged once: it holds for every file of the same place.
  const logged = new Set<number>();
  return {
    register(fd) {
      if (!enabled) return null;
      const id = device.openBacking(fd);
      if (id > 0) return id;
      if (!logged.has(id)) {
        logged.add(id);
        logRefusal(-id, logger);
      }
      return null;
    },
    unregister: (id) => device.closeBacking(id),
    opened: onOpened,
  };
}

/**
 * Whether the kernel takes backing files from this process, found out by giving it one. INIT
 * agrees on passthrough with anybody; CAP_SYS_ADMIN is asked for only here.
 */
export function mayPassThrough(device: Device, libc: Libc, logger: Logger): boolean {
  const fd = libc.openPath(Deno.execPath(), OPEN_FLAGS.RDONLY);
  if (fd < 0) return true;
  const id = device.openBacking(fd);
  if (id > 0) device.closeBacking(id);
  libc.close(fd);
  if (id !== -ERRNO.EPERM) return true;
  logRefusal(ERRNO.EPERM, logger);
  return false;
}

function logRefusal(errno: number, logger: Logger): void {
  logger.info("Serve files from the daemon: passthrough is refused", {
    reason: REASONS.get(errno) ?? errnoName(errno),
  });
}
