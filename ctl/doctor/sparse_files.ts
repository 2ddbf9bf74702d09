/** Whether the disk of the cache keeps holes in files, which the format of the cache lives on. */
import { bad, doubtful, type Finding, good, skipped } from "../../cache/platform/finding.ts";
import type { LibcFiles } from "../../cache/platform/libc_files.ts";
import { type Check, LOCAL_DEADLINE_MS } from "./check.ts";
import { FORBIDDEN, openProbe } from "./probe_file.ts";

const SUBJECT = "sparse files";
const FILE_BYTES = 64 * 1024 * 1024;
const WRITTEN_BYTES = 128 * 1024;
/** A file system may allocate a little more than what was written, not the hole. */
const ALLOCATED_BYTES_MAX = 8 * 1024 * 1024;
const SECTOR_BYTES = 512;

/** The check of sparse files in the existing directory that `directory` gives. */
export function sparseFiles(directory: () => Promise<string>, files: LibcFiles): Check {
  return {
    name: "sparse_files",
    subject: SUBJECT,
    deadlineMs: LOCAL_DEADLINE_MS,
    run: async () => await tryIn(await directory(), files),
  };
}

async function tryIn(directory: string, files: LibcFiles): Promise<Finding> {
  const probe = await openProbe(directory, 0, files);
  if (probe.kind === "forbidden") return skipped(SUBJECT, FORBIDDEN);
  if (probe.kind === "unsupported") return bad(SUBJECT, "a new file does not open", CHECK_DISK);
  const { fd } = probe;
  try {
    const offset = FILE_BYTES - WRITTEN_BYTES;
    const written = await files.truncateLater(fd, FILE_BYTES) &&
      await files.writeAtLater(fd, new Uint8Array(WRITTEN_BYTES).fill(1), offset) !== null &&
      await files.syncLater(fd);
    if (!written) return bad(SUBJECT, "a file with a hole cannot be written", CHECK_DISK);
    const allocated = await allocatedBytes(fd, files);
    if (allocated > ALLOCATED_BYTES_MAX) {
      return bad(SUBJECT, "holes take space as if they were written", OTHER_DISK);
    }
    const punched = await files.punchLater(fd, offset, WRITTEN_BYTES);
    if (!punched) {
      const slower = "holes cost nothing, but none can be made: large objects leave as a whole";
      return doubtful(SUBJECT, slower, OTHER_DISK);
    }
    return good(SUBJECT, "work, and give space back");
  } finally {
    await files.closeLater(fd);
  }
}

async function allocatedBytes(fd: number, files: LibcFiles): Promise<number> {
  return ((await files.statusLater(fd))?.blocks ?? Infinity) * SECTOR_BYTES;
}

const CHECK_DISK = "Check that the disk is mounted, writable and not full";
const OTHER_DISK = "Use ext4, xfs or btrfs for the cache";
