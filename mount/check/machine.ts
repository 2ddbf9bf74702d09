/** The machine as `warpdrive mount --check` asks it: every answer is a value, failures included. */
import { access, constants, statfs } from "node:fs/promises";
import { dirname } from "node:path/posix";
import type { Environment } from "../../cache/platform/environment.ts";
import { describeError } from "../../cache/platform/log.ts";
import type { Access } from "./kernel.ts";
import type { MountPointState } from "./place.ts";

/** What the checks need to know of a machine. */
export interface Machine {
  readonly kernelRelease: string;
  /** The text of a file; null when there is none or it may not be read. */
  text(path: string): Promise<string | null>;
  /** Whether `path` opens for reading and writing. */
  device(path: string): Promise<Access>;
  /** Where program `name` is, by `PATH`; null when nowhere. */
  program(name: string): Promise<string | null>;
  /** `path` with links resolved; itself where it cannot be resolved. */
  realPath(path: string): Promise<string>;
  mountPoint(path: string): Promise<MountPointState>;
  /** Bytes free for this user on the disk that `path` would be on; null when unknown. */
  freeBytes(path: string): Promise<number | null>;
  /** Why nothing can listen at this address, or null. */
  listenFailure(hostname: string, port: number): string | null;
}

/** The machine this process runs on. */
export function thisMachine(env: Environment): Machine {
  return {
    kernelRelease: Deno.osRelease(),
    text: readText,
    device: openDevice,
    program: (name) => findProgram(name, env.get("PATH") ?? ""),
    realPath: (path) => Deno.realPath(path).catch(() => path),
    mountPoint: lookAtMountPoint,
    freeBytes,
    listenFailure,
  };
}

async function readText(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    // Each caller judges what a file that is not there means.
    return null;
  }
}

async function openDevice(path: string): Promise<Access> {
  try {
    using _file = await Deno.open(path, { read: true, write: true });
    return "ok";
  } catch (error) {
    return error instanceof Deno.errors.NotFound ? "missing" : "denied";
  }
}

async function findProgram(name: string, searchPath: string): Promise<string | null> {
  for (const directory of searchPath.split(":").filter((part) => part.startsWith("/"))) {
    const path = `${directory}/${name}`;
    if (await isAccessible(path, constants.X_OK)) return path;
  }
  return null;
}

async function isAccessible(path: string, mode: number): Promise<boolean> {
  try {
    await access(path, mode);
    return true;
  } catch {
    return false;
  }
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
