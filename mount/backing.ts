/** Files that the kernel reads by itself, registered with the mount's connection. */
import { ERRNO, errnoName } from "../cache/platform/errno.ts";
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
    register(fd, sizeBytes) {
      if (!enabled) return null;
      const id = device.openBacking(fd);
      if (id > 0) {
        onOpened(sizeBytes);
        return id;
      }
      if (!logged.has(id)) {
        logged.add(id);
        logger.info("Serve files from the daemon: passthrough is refused", {
          reason: REASONS.get(-id) ?? errnoName(-id),
        });
      }
      return null;
    },
    unregister: (id) => device.closeBacking(id),
  };
}
