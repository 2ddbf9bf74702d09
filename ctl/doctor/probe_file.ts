/** A file without a name for trying out a disk: however the process ends, nothing of it stays. */
import { CommandError } from "../../cache/platform/exit.ts";
import type { LibcFiles } from "../../cache/platform/libc_files.ts";
import { OPEN_FLAGS } from "../../cache/platform/open_flags.ts";

/** The file, or why there is none. */
export type ProbeFile =
  | { readonly kind: "open"; readonly fd: number }
  /** This user may not create files there, which is the business of another check. */
  | { readonly kind: "forbidden" }
  /** The file system does not know the flags, as O_DIRECT on tmpfs of older kernels. */
  | { readonly kind: "unsupported" };

/** What checks say that this user may not make. */
export const FORBIDDEN = "this user may not create files there";

/**
 * Creates one in `directory`, open for reading and writing and with `flags`.
 *
 * @throws {CommandError} with the reason when the disk fails.
 */
export async function openProbe(
  directory: string,
  flags: number,
  files: LibcFiles,
): Promise<ProbeFile> {
  let path: string;
  try {
    path = await Deno.makeTempFile({ dir: directory, prefix: ".warpdrive-doctor-" });
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return { kind: "forbidden" };
    throw new CommandError(
      "failed",
      `Cannot create a file in ${JSON.stringify(directory)}`,
      "Check that the disk is mounted, writable and not full",
      { cause: error },
    );
  }
  const fd = await files.openLater(path, OPEN_FLAGS.RDWR | flags, 0);
  await files.unlinkLater(path);
  return fd === null ? { kind: "unsupported" } : { kind: "open", fd };
}
