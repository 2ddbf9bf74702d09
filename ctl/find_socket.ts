/**
 * Finds the control sockets of the mount that is meant: named outright, by the configuration it was
 * mounted with, by a path below its mount point, or because it is the only one.
 */
import { dirname, join, resolve } from "node:path/posix";
import type { Clock } from "../cache/platform/clock.ts";
import { configError, type ConfigInputs, ConfigReader } from "../cache/platform/config_reader.ts";
import { CommandError } from "../cache/platform/exit.ts";
import type { Libc } from "../cache/platform/libc.ts";
import { absolutePath } from "../cache/platform/setting.ts";
import { within } from "../cache/platform/within.ts";
import {
  ADMIN_SOCKET,
  CONTROL_SECTION,
  controlName,
  SOCKET_ATTRIBUTE,
  USER_SOCKET,
} from "./api_sockets.ts";
import { mountPointAbove } from "./mount_point_above.ts";

/** Longest wait for a file system to say whether it is one of ours. */
const ATTRIBUTE_TIMEOUT_MS = 5_000;

/** Which mount is meant. */
export type Whereabouts =
  /** A socket, or the directory of both. */
  | { readonly kind: "socket"; readonly path: string }
  | { readonly kind: "config"; readonly file: string }
  /** Something below a mount point, which need not exist. */
  | { readonly kind: "path"; readonly path: string }
  /** The only one there is. */
  | { readonly kind: "only" };

/** What finding takes. */
export interface FindDeps extends ConfigInputs {
  readonly libc: Pick<Libc, "attributeLater">;
  readonly clock: Clock;
  /** Where mounts have their directories by default, best first: `controlBases`. */
  readonly bases: readonly string[];
}

/**
 * The socket to talk to: of the two, the one for everything where this user may use it.
 *
 * @throws {CommandError} when no mount is found, or several are.
 */
export async function findSocket(where: Whereabouts, deps: FindDeps): Promise<string> {
  switch (where.kind) {
    case "socket":
      return await isDirectory(where.path) ? await better(where.path) : where.path;
    case "config":
      return await better(await directoryOfConfig(where.file, deps));
    case "path":
      return await better(await directoryOfPath(where.path, deps));
    case "only":
      return await better(await onlyDirectory(deps));
  }
}

async function directoryOfConfig(file: string, deps: FindDeps): Promise<string> {
  let text: string;
  try {
    text = deps.readTextFile(file);
  } catch (cause) {
    const hint = "Give the path of a readable file with --config, or a path below the mount";
    throw new CommandError("usage", `Cannot read configuration "${file}"`, hint, { cause });
  }
  const reader = new ConfigReader(text, deps);
  const mountPoint = reader.read(absolutePath(), ["mount_point"]);
  const control = reader.read(CONTROL_SECTION.prefault({}), ["control"]);
  if (mountPoint === null || control === null) throw configError(file, reader.problems);
  if (!control.enabled) {
    throw new CommandError(
      "failed",
      `Cannot find the mount of "${file}": its control.enabled is false`,
      "Set control.enabled: true and mount again",
    );
  }
  if (control.path !== undefined) return control.path;
  // Whoever asks may be another user than the one who mounted.
  const name = control.name ?? controlName(mountPoint);
  const directories = deps.bases.map((base) => join(base, name));
  for (const directory of directories) if (await isDirectory(directory)) return directory;
  throw new CommandError(
    "failed",
    `Cannot find the mount of "${file}": nothing is at "${directories.join('" or "')}"`,
    `Start it with "warpdrive mount --config ${file}"`,
  );
}

async function directoryOfPath(path: string, deps: FindDeps): Promise<string> {
  const root = await mountRootAbove(path, deps);
  if (root !== null) return root.directory;
  const mountPoint = await mountPointAbove(path);
  if (mountPoint !== null) throw silent(mountPoint);
  throw new CommandError(
    "failed",
    `Cannot find a mount above "${path}": no directory above it is the root of one`,
    'Give a path below a live mount, or name one with --socket; "mount" lists what is mounted',
  );
}

/** There is a mount, and it does not say where its sockets are. */
function silent(mountPoint: string): CommandError {
  return new CommandError(
    "failed",
    `Cannot ask the mount at "${mountPoint}": its process has ended, or control.enabled is false`,
    `Run "ls ${mountPoint}"; where the process has ended, mount again, which replaces it`,
  );
}

/**
 * The root of the mount that `path` is below, as this process sees it, and the directory of its
 * sockets; null when there is none. Asks `path` and every directory above it: only a root answers.
 */
export async function mountRootAbove(
  path: string,
  { libc, clock }: Pick<FindDeps, "libc" | "clock">,
): Promise<{ readonly root: string; readonly directory: string } | null> {
  const start = await Deno.realPath(path).catch(() => resolve(path));
  for (let place = start;; place = dirname(place)) {
    const asking = libc.attributeLater(place, SOCKET_ATTRIBUTE);
    const value = await within(asking, ATTRIBUTE_TIMEOUT_MS, clock, () => hangs(place));
    if (value !== null) {
      return { root: place, directory: dirname(new TextDecoder().decode(value)) };
    }
    if (place === "/") return null;
  }
}

function hangs(place: string): CommandError {
  return new CommandError(
    "failed",
    `Cannot ask "${place}" whether it is a mount: no answer within 5s`,
    "Name the mount with --socket or --config",
  );
}

async function onlyDirectory({ bases }: FindDeps): Promise<string> {
  const directories: string[] = [];
  for (const base of bases) {
    for (const name of await namesIn(base)) {
      const directory = join(base, name);
      if (await answers(join(directory, USER_SOCKET)) === "yes") directories.push(directory);
    }
  }
  const [only] = directories;
  if (only !== undefined && directories.length === 1) return only;
  const hint = "Name it by --config, by --socket or by a path below its mount point";
  throw only === undefined
    ? new CommandError("failed", "Cannot find a mount: none runs in its default place", hint)
    : new CommandError(
      "usage",
      `Cannot choose a mount: there are ${directories.length}, at ${directories.join(", ")}`,
      hint,
    );
}

/** The socket in `directory` that can do more for this user. */
async function better(directory: string): Promise<string> {
  const admin = join(directory, ADMIN_SOCKET);
  return await answers(admin) === "denied" ? join(directory, USER_SOCKET) : admin;
}

async function answers(socket: string): Promise<"yes" | "denied" | "no"> {
  try {
    (await Deno.connect({ transport: "unix", path: socket })).close();
    return "yes";
  } catch (error) {
    // Whatever else it is, the client that is made for this socket says it better.
    return error instanceof Deno.errors.PermissionDenied ? "denied" : "no";
  }
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name).sort();
  } catch {
    // Not there, or not to be read: there is no mount of this kind.
    return [];
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch {
    return false;
  }
}
