/**
 * A bound on every wait for a local disk. A system call that hangs keeps its thread; its caller is
 * told `timeout`.
 */
import { within } from "../../platform/within.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Libc } from "../../platform/libc.ts";
import { TaskGroup } from "../../platform/limit.ts";
import { formatDuration } from "../../platform/units.ts";
import { BackendError, type BackendOperation } from "../backend.ts";
import type { LocalFiles, OpenedFile } from "./backend.ts";

/** `files` with every operation that may wait bounded by `timeoutMs`. */
export function timedFiles(
  files: LocalFiles,
  backend: string,
  timeoutMs: number,
  clock: Clock,
  libc: Libc,
): LocalFiles {
  const abandoned = new TaskGroup(() => undefined);
  const bound = <T>(operation: BackendOperation, path: string, work: Promise<T>) =>
    within(work, timeoutMs, clock, () => diskTimeout(backend, operation, path, timeoutMs));
  return {
    statusCached: (path) => files.statusCached(path),
    names: (directory, token) => bound("list", directory, files.names(directory, token)),
    linkTarget: (path) => bound("stat", path, files.linkTarget(path)),
    open: async (path) => {
      const opening = files.open(path);
      try {
        return await bound("read", path, opening);
      } catch (error) {
        // Nobody will use what a late call opens.
        const close = (file: OpenedFile | null) => {
          if (file !== null) libc.close(file.fd);
        };
        abandoned.add(opening.then(close));
        throw error;
      }
    },
    statusOfOpen: (fd, path) => files.statusOfOpen(fd, path),
    isUnchanged: (file) => files.isUnchanged(file),
  };
}

/** The disk did not answer within `timeoutMs`. */
export function diskTimeout(
  backend: string,
  operation: BackendOperation,
  path: string,
  timeoutMs: number,
): BackendError {
  return new BackendError(
    "timeout",
    backend,
    operation,
    path,
    `the disk did not answer for ${formatDuration(timeoutMs)}`,
    "Check the disk and the file system below the root, e.g. with `dmesg`",
  );
}
