/** The machine as checks ask it: every answer is a value, failures included. */
import { access, constants } from "node:fs/promises";
import type { Environment } from "./environment.ts";
import type { Access } from "./kernel.ts";

/** What checks need to know of a machine. */
export interface Host {
  readonly kernelRelease: string;
  /** The text of a file; null when there is none or it may not be read. */
  text(path: string): Promise<string | null>;
  /** Whether `path` opens for reading and writing. */
  device(path: string): Promise<Access>;
  /** Where program `name` is, by `PATH`; null when nowhere. */
  program(name: string): Promise<string | null>;
  /** `path` with links resolved; itself where it cannot be resolved. */
  realPath(path: string): Promise<string>;
}

/** The machine this process runs on. */
export function thisHost(env: Environment): Host {
  return {
    kernelRelease: Deno.osRelease(),
    text: readText,
    device: openDevice,
    program: (name) => findProgram(name, env.get("PATH") ?? ""),
    realPath: (path) => Deno.realPath(path).catch(() => path),
  };
}

/** Whether this user may use `path` in a way of access(2), such as `constants.W_OK`. */
export async function isAccessible(path: string, mode: number): Promise<boolean> {
  try {
    await access(path, mode);
    return true;
  } catch {
    return false;
  }
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
