/** The disk of a cache directory, which need not exist yet. */
import { dirname } from "node:path/posix";
import type { Host } from "../../cache/platform/host.ts";
import { type MountEntry, parseMountTable } from "../../cache/platform/mount_table.ts";

/** What a path is; null where nothing is that this user could reach. */
export type LookAtPath = (path: string) => Promise<"directory" | "other" | null>;

/** `path`, or the closest directory above it that exists: where a mount would create it. */
export async function existingDirectory(path: string, look: LookAtPath): Promise<string> {
  for (let directory = path;; directory = dirname(directory)) {
    if (directory === "/" || await look(directory) === "directory") return directory;
  }
}

/** The mount that the directory `path` lies on; null when the table cannot be read. */
export async function mountOf(path: string, host: Host): Promise<MountEntry | null> {
  const table = parseMountTable(await host.text("/proc/self/mountinfo") ?? "");
  const real = await host.realPath(path);
  const above = table.filter(({ mountPoint }) =>
    `${real}/`.startsWith(mountPoint.endsWith("/") ? mountPoint : `${mountPoint}/`)
  );
  return above.reduce<MountEntry | null>(
    (best, entry) =>
      best === null || entry.mountPoint.length >= best.mountPoint.length ? entry : best,
    null,
  );
}

/** {@linkcode LookAtPath} of this machine. */
export async function lookAtPath(path: string): Promise<"directory" | "other" | null> {
  try {
    return (await Deno.stat(path)).isDirectory ? "directory" : "other";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    // Below a directory this user may not enter: as good as not there.
    if (error instanceof Deno.errors.PermissionDenied) return null;
    throw error;
  }
}
