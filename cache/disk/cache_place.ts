/** Where a cache directory is, or would be created, and the disk that it lies on. */
import { dirname } from "node:path/posix";
import type { Host } from "../platform/host.ts";
import { mountAbove, type MountEntry, parseMountTable } from "../platform/mount_table.ts";

/** What a path is; null where nothing is that this user could reach. */
export type LookAtPath = (path: string) => Promise<"directory" | "other" | null>;

/** A place for a cache. */
export type CachePlace =
  /** `existing` is the directory itself, or the closest above it, where it would be created. */
  | { readonly kind: "possible"; readonly existing: string }
  /** What is at `by`, the path itself or one above it, is no directory. */
  | { readonly kind: "blocked"; readonly by: string };

/** Finds the place of a cache at `path`. */
export async function findCachePlace(path: string, look: LookAtPath): Promise<CachePlace> {
  for (let at = path;; at = dirname(at)) {
    const found = at === "/" ? "directory" : await look(at);
    if (found === "directory") return { kind: "possible", existing: at };
    if (found === "other") return { kind: "blocked", by: at };
  }
}

/** The mount that the directory `path` lies on; null when the table cannot be read. */
export async function mountOf(path: string, host: Host): Promise<MountEntry | null> {
  const table = parseMountTable(await host.text("/proc/self/mountinfo") ?? "");
  return mountAbove(table, await host.realPath(path));
}

/** {@linkcode LookAtPath} of this machine. */
export async function lookAtPath(path: string): Promise<"directory" | "other" | null> {
  try {
    return (await Deno.stat(path)).isDirectory ? "directory" : "other";
  } catch (error) {
    // A link to nothing is in the way of a directory, too.
    if (error instanceof Deno.errors.NotFound) return await isThere(path) ? "other" : null;
    // Below a directory this user may not enter, or below a file: as good as not there.
    if (error instanceof Deno.errors.PermissionDenied) return null;
    if (error instanceof Deno.errors.NotADirectory) return null;
    throw error;
  }
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}
