/** The machine as `warpdrive mount --check` asks it. */
import { constants, statfs } from "node:fs/promises";
import { dirname } from "node:path/posix";
import type { Environment } from "../../cache/platform/environment.ts";
import { type Host, isAccessible, thisHost } from "../../cache/platform/host.ts";
import { describeError } from "../../cache/platform/log.ts";
import type { MountPointState } from "./place.ts";

/** What the checks of a mount need to know besides. */
export interface Machine extends Host {
  mountPoint(path: string): Promise<MountPointState>;
  /** Bytes free for this user on the disk that `path` would be on; null when unknown. */
  freeBytes(path: string): Promise<number | null>;
  /** Why nothing can listen at this address, or null. */
  listenFailure(hostname: string, port: number): string | null;
}

/** The machine this process runs on. */
export function thisMachine(env: Environment): Machine {
  return { ...thisHost(env), mountPoint: lookAtMountPoint, freeBytes, listenFailure };
}

async function lookAtMountPoint(path: string): Promise<MountPointState> {
  try {
    const { isDirectory } = await Deno.stat(path);
    if (!isDirectory) return { kind: "file" };
    let empty = true;
    for await (const _entry of Deno.readDir(path)) {
      empty = false;
      break;
    }
    return { kind: "directory", empty, writable: await isAccessible(path, constants.W_OK) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { kind: "missing" };
    const reason = describeError(error);
    // ENOTCONN: the process that served this mount is gone.
    if (/os error 107\b/.test(reason)) return { kind: "dead" };
    return { kind: "unreadable", reason };
  }
}

/** Asks the closest directory above `path` that exists. */
async function freeBytes(path: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch {
    return path === "/" ? null : freeBytes(dirname(path));
  }
}

function listenFailure(hostname: string, port: number): string | null {
  try {
    Deno.listen({ hostname, port }).close();
    return null;
  } catch (error) {
    return describeError(error);
  }
}
