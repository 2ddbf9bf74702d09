/** Why a call on the cache's disk failed, found out afterwards: its thread kept the errno. */
import { CacheDiskError } from "./cache_disk_error.ts";
import { diskSpace } from "./disk_space.ts";

/** A file system this close to its end is taken to be the reason. */
const SPACE_BYTES_MIN = 1024 * 1024;

/** The failure of `operation` on the file that is, or was to be created, at `path`. */
export async function diskFailure(
  operation: string,
  path: string,
  kind: "existing" | "new",
): Promise<CacheDiskError> {
  if (kind === "existing") {
    try {
      // Links are never followed in the cache, so one is not the file either.
      const { isFile } = await Deno.lstat(path);
      if (!isFile) return new CacheDiskError("gone", operation, path, "it is no file any more");
    } catch (cause) {
      if (cause instanceof Deno.errors.NotFound) {
        return new CacheDiskError("gone", operation, path, "the file is gone", { cause });
      }
    }
  }
  try {
    const { freeBytes, freeInodes } = await diskSpace(path.slice(0, path.lastIndexOf("/")));
    if (freeBytes < SPACE_BYTES_MIN || freeInodes === 0) {
      return new CacheDiskError("full", operation, path, "no space is left on the device");
    }
    return new CacheDiskError("failed", operation, path, "the disk refused it");
  } catch (cause) {
    if (!(cause instanceof CacheDiskError)) throw cause;
    return new CacheDiskError(cause.code, operation, path, cause.reason, { cause });
  }
}
