/** The machine as `warpdrive mount --check` asks it. */
import { constants } from "node:fs/promises";
import type { Environment } from "../../cache/platform/environment.ts";
import { type Host, isAccessible, thisHost } from "../../cache/platform/host.ts";
import { describeError } from "../../cache/platform/log.ts";
import type { MountPointState } from "./place.ts";

/** What the checks of a mount need to know besides. */
export interface Machine extends Host {
  mountPoint(path: string): Promise<MountPointState>;
  /** Why nothing can listen at this address, or null. */
  listenFailure(hostname: string, port: number): string | null;
}

/** The machine this process runs on. */
export function thisMachine(env: Environment): Machine {
  return { ...thisHost(env), mountPoint: lookAtMountPoint, listenFailure };
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

function listenFailure(hostname: string, port: number): string | null {
  try {
    Deno.listen({ hostname, port }).close();
    return null;
  } catch (error) {
    return describeError(error);
  }
}
