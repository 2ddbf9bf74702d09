/**
 * The two sockets of a mount as files: a directory that one mount holds, `admin.sock` and
 * `user.sock` in it, with the permissions that say who may connect.
 *
 *     directory made, owner checked ──▶ locked ──▶ dead sockets removed ──▶ bound ──▶ permissions
 *       set ──▶ listening
 *
 * Nobody can connect to a socket before it listens, so that its permissions hold from the first.
 */
import { dirname, join } from "node:path/posix";
import { ADMIN_SOCKET, USER_SOCKET } from "../../ctl/api_sockets.ts";
import { ERRNO } from "../../cache/platform/errno.ts";
import { CommandError } from "../../cache/platform/exit.ts";
import type { Libc } from "../../cache/platform/libc.ts";
import { OPEN_FLAGS } from "../../cache/platform/open_flags.ts";
import type { SocketName } from "./route.ts";

/** Clients that may wait to be accepted; the kernel's own limit is 4,096 (somaxconn). */
const BACKLOG = 128;
const FILES: Readonly<Record<SocketName, string>> = { admin: ADMIN_SOCKET, user: USER_SOCKET };
const SOCKETS: readonly SocketName[] = ["admin", "user"];
const HINT =
  "Set control.path to a directory that the mounting user owns, or control.enabled: false";

/** Where the sockets are to be, and for whom. */
export interface ControlFiles {
  readonly directory: string;
  /** Take the directory away too, as nobody made it for us. */
  readonly removeDirectory: boolean;
  /** Whose members may use the admin socket, by name or number; null: nobody's. */
  readonly group: string | null;
}

/** The sockets of one mount, listening until disposed. */
export class ControlSockets implements Disposable {
  readonly #files: ControlFiles;
  readonly #libc: Libc;
  readonly #directoryFd: number;
  readonly #fds = new Map<SocketName, number>();
  /** Id of the group that may use the admin socket, if any. */
  readonly adminGroup: number | null;

  /**
   * Makes them.
   *
   * @throws {CommandError} when another mount has them, or they cannot be made.
   */
  static open(files: ControlFiles, libc: Libc): ControlSockets {
    const adminGroup = files.group === null ? null : groupId(files.group, libc);
    makeDirectory(files.directory);
    const fd = openDirectory(files.directory, libc);
    if (!libc.sockets.tryLock(fd)) {
      libc.close(fd);
      throw held(files.directory, libc);
    }
    const sockets = new ControlSockets(files, adminGroup, libc, fd);
    try {
      sockets.#bindAll();
      return sockets;
    } catch (error) {
      sockets[Symbol.dispose]();
      throw error;
    }
  }

  private constructor(files: ControlFiles, group: number | null, libc: Libc, directoryFd: number) {
    this.#files = files;
    this.adminGroup = group;
    this.#libc = libc;
    this.#directoryFd = directoryFd;
  }

  /** Path of one of them. */
  path(name: SocketName): string {
    return join(this.#files.directory, FILES[name]);
  }

  /** The listening sockets, by name. */
  get listening(): ReadonlyMap<SocketName, number> {
    return this.#fds;
  }

  /** Ends listening and takes the files away. */
  [Symbol.dispose](): void {
    for (const [name, fd] of this.#fds) {
      this.#libc.close(fd);
      removeIfThere(this.path(name));
    }
    this.#fds.clear();
    if (this.#files.removeDirectory) removeEmpty(this.#files.directory);
    this.#libc.close(this.#directoryFd);
  }

  #bindAll(): void {
    for (const name of SOCKETS) this.#removeDead(this.path(name));
    for (const name of SOCKETS) this.#bind(name);
  }

  #bind(name: SocketName): void {
    const path = this.path(name);
    try {
      const fd = this.#libc.sockets.bind(path);
      this.#fds.set(name, fd);
      if (name === "admin" && this.adminGroup !== null) Deno.chownSync(path, null, this.adminGroup);
      // Not by the umask: it belongs to the whole process, other threads of which make files too.
      Deno.chmodSync(path, modeOf(name, this.adminGroup));
      this.#libc.sockets.listen(fd, path, BACKLOG);
    } catch (cause) {
      const message = `Cannot make the control socket "${path}"`;
      throw new CommandError("failed", message, HINT, { cause });
    }
  }

  /** Removes what a mount left behind that could not clean up. */
  #removeDead(path: string): void {
    const file = statusOf(path);
    if (file === null) return;
    if (!file.isSocket) {
      throw new CommandError(
        "failed",
        `Cannot make the control socket "${path}": a file that is no socket is there`,
        "Move it away, or set control.path to another directory",
      );
    }
    const fd = this.#libc.sockets.connect(path);
    // A full backlog is somebody's, too.
    if (fd >= 0) this.#libc.close(fd);
    if (fd >= 0 || fd === -ERRNO.EAGAIN) throw held(this.#files.directory, this.#libc);
    removeIfThere(path);
  }
}

function held(directory: string, libc: Libc): CommandError {
  return new CommandError(
    "failed",
    `Cannot make control sockets in "${directory}": ${holderOf(directory, libc)} has them`,
    "Unmount that one first, or give this mount a control.name of its own",
  );
}

function holderOf(directory: string, libc: Libc): string {
  for (const name of SOCKETS) {
    const fd = libc.sockets.connect(join(directory, FILES[name]));
    if (fd < 0) continue;
    const { pid, uid } = libc.sockets.peer(fd);
    libc.close(fd);
    return `the mount of process ${pid}, user ${uid},`;
  }
  return "another mount";
}

function modeOf(name: SocketName, adminGroup: number | null): number {
  if (name === "user") return 0o666;
  return adminGroup === null ? 0o600 : 0o660;
}

function groupId(group: string, libc: Libc): number {
  if (/^\d{1,9}$/.test(group)) return Number(group);
  const id = libc.accounts.groupId(group);
  if (id !== null) return id;
  throw new CommandError(
    "failed",
    `Cannot give the control socket to group "${group}": this machine has no such group`,
    `Run "groupadd ${group}" as root, or correct control.group`,
  );
}

/** Makes what is missing of `path`, passable for everybody whatever the umask. */
function makeDirectory(path: string): void {
  if (statusOf(path) !== null || path === "/") return;
  makeDirectory(dirname(path));
  try {
    Deno.mkdirSync(path);
    Deno.chmodSync(path, 0o755);
  } catch (cause) {
    if (cause instanceof Deno.errors.AlreadyExists) return;
    const message = `Cannot make the directory of the control sockets "${path}"`;
    throw new CommandError("failed", message, HINT, { cause });
  }
}

/** Whoever owns the directory decides what its sockets are: that must be us, or root. */
function openDirectory(path: string, libc: Libc): number {
  const fd = libc.openPath(path, OPEN_FLAGS.DIRECTORY);
  if (fd < 0) {
    const message = `Cannot open the directory of the control sockets "${path}"`;
    throw new CommandError("failed", message, HINT);
  }
  const { uid, permissions } = libc.statusOf(fd, path);
  const sticky = (permissions & 0o1000) !== 0;
  const shared = (permissions & 0o022) !== 0 && !sticky;
  if ((uid === 0 || uid === libc.effectiveUid()) && !shared) return fd;
  libc.close(fd);
  const state = shared ? `its mode ${permissions.toString(8)}` : `its owner, user ${uid},`;
  throw new CommandError(
    "failed",
    `Cannot make control sockets in "${path}": ${state} lets others replace them`,
    HINT,
  );
}

function statusOf(path: string): Deno.FileInfo | null {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw new CommandError("failed", `Cannot look at "${path}"`, HINT, { cause: error });
  }
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function removeEmpty(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // Somebody has put something there, or taken it away: it is no longer ours to remove.
  }
}
