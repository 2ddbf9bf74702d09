/** A file without a name for trying out a disk: however the process ends, nothing of it stays. */
import type { LibcFiles } from "../../cache/platform/libc_files.ts";
import { OPEN_FLAGS } from "../../cache/platform/open_flags.ts";

/**
 * Creates one in `directory`, open for reading and writing and with `flags`; null when it cannot be
 * opened so, as with O_DIRECT on tmpfs. Rejects with the reason when nothing can be created there.
 */
export async function openProbe(
  directory: string,
  flags: number,
  files: LibcFiles,
): Promise<number | null> {
  const path = await Deno.makeTempFile({ dir: directory, prefix: ".warpdrive-doctor-" });
  const fd = await files.openLater(path, OPEN_FLAGS.RDWR | flags, 0);
  await files.unlinkLater(path);
  return fd;
}
