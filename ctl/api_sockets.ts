/**
 * Where the control sockets of a mount are, as the mount that makes them and the client that looks
 * for them both work it out: a directory with `admin.sock` and `user.sock`. Pure.
 */
import { join } from "node:path/posix";
import type { Environment } from "../cache/platform/environment.ts";
import { identityHash } from "../cache/platform/identity_hash.ts";
import { SOCKET_PATH_BYTES_MAX } from "../cache/platform/libc_sockets.ts";
import { absolutePath, flag, matching, section, text } from "../cache/platform/setting.ts";

/** For everything; of the mounting user and, where one is configured, a group. */
export const ADMIN_SOCKET = "admin.sock";
/** For plan, warm, status and explain; of every user. */
export const USER_SOCKET = "user.sock";
/** Attribute of the root of a mount: the path of its user socket, beside which is the other. */
export const SOCKET_ATTRIBUTE = "user.warpdrive.socket";

const SYSTEM_BASE = "/run/warpdrive";
const NAME_BYTES_MAX = 64;

/** `control:` of the configuration file. */
export const CONTROL_SECTION = section({
  enabled: flag().prefault("true"),
  path: absolutePath().optional(),
  name: matching(
    /^[A-Za-z0-9_][\w.@-]{0,63}$/,
    "1 to 64 letters, digits, dots, dashes, underscores or @, beginning with a letter or digit",
  ).optional(),
  group: text('a group, by name or number, such as "warpdrive"').optional(),
});

/** The directory of a mount's sockets, or why there is none. */
export type ControlPlace =
  /** `chosen`: written in the configuration, so that not to get it is an error. */
  | { readonly kind: "directory"; readonly path: string; readonly chosen: boolean }
  | { readonly kind: "nowhere"; readonly reason: string };

/** What the place depends on. */
export interface ControlPlaceInputs {
  readonly path: string | undefined;
  readonly name: string | undefined;
  readonly mountPoint: string;
  readonly uid: number;
  readonly env: Environment;
}

/** Where the sockets of a mount at `mountPoint` are. */
export function controlPlace(inputs: ControlPlaceInputs): ControlPlace {
  const { path, name, mountPoint, uid, env } = inputs;
  if (path !== undefined) return { kind: "directory", path, chosen: true };
  const base = uid === 0 ? SYSTEM_BASE : userBase(env);
  if (base === null) {
    return { kind: "nowhere", reason: "XDG_RUNTIME_DIR is not set, and this is not root" };
  }
  const derived = join(base, name ?? controlName(mountPoint));
  if (socketPathFits(derived)) {
    return { kind: "directory", path: derived, chosen: name !== undefined };
  }
  return { kind: "nowhere", reason: `a socket in ${JSON.stringify(derived)} has too long a path` };
}

/** Directories whose subdirectories are those of mounts: of this user, and of root. */
export function controlBases(env: Environment): readonly string[] {
  const own = userBase(env);
  return own === null ? [SYSTEM_BASE] : [own, SYSTEM_BASE];
}

function userBase(env: Environment): string | null {
  const runtime = env.get("XDG_RUNTIME_DIR") ?? "";
  return runtime.startsWith("/") ? join(runtime, "warpdrive") : null;
}

/** The name a mount has when the configuration gives it none: `mnt-data` for `/mnt/data`. */
export function controlName(mountPoint: string): string {
  const name = mountPoint.replace(/^\/+|\/+$/g, "").replaceAll("/", "-");
  if (new TextEncoder().encode(name).length <= NAME_BYTES_MAX) return name;
  const hash = identityHash(0, mountPoint).toString(36);
  return `${name.slice(-20)}-${hash}`;
}

/** Whether the sockets of `directory` have paths that a socket can have. */
export function socketPathFits(directory: string): boolean {
  const longest = new TextEncoder().encode(join(directory, ADMIN_SOCKET)).length;
  return longest <= SOCKET_PATH_BYTES_MAX;
}
