/**
 * Obtains a mounted /dev/fuse descriptor and takes the mount away again: mount(2) with
 * CAP_SYS_ADMIN, otherwise the setuid helper fusermount3, which passes the descriptor over a
 * socket (libfuse, util/fusermount.c).
 */
import { ERRNO, errnoName, SystemError } from "../../cache/platform/errno.ts";
import type { Libc } from "../../cache/platform/libc.ts";
import { OUR_FILE_SYSTEM_TYPE } from "../../cache/platform/mount_table.ts";
import { OPEN_FLAGS } from "../../cache/platform/open_flags.ts";

const SOURCE = "warpdrive";
const SUBTYPE = "warpdrive";

const MS_RDONLY = 1;
const MS_NOSUID = 2;
const MS_NODEV = 4;
const MNT_DETACH = 2;

/** A mount could not be made or taken away. */
export class AttachError extends Error {
  override readonly name = "AttachError";

  /** @param hint What to run or change next. */
  constructor(message: string, readonly hint: string, options: ErrorOptions = {}) {
    super(message, options);
  }
}

/** A mounted descriptor and how it was obtained, which is also how it is given back. */
export interface Attachment {
  readonly fd: number;
  readonly mountPoint: string;
  readonly by: "mount" | "fusermount3";
}

/** Mounts at `mountPoint`; requests wait in the kernel until a session answers INIT. */
export async function attach(
  libc: Libc,
  mountPoint: string,
  allowOther: boolean,
): Promise<Attachment> {
  const direct = attachDirectly(libc, mountPoint, allowOther);
  if (direct !== "not permitted") return direct;
  const fd = await attachWithHelper(libc, mountPoint, allowOther);
  libc.setNonblocking(fd);
  return { fd, mountPoint, by: "fusermount3" };
}

function attachDirectly(
  libc: Libc,
  mountPoint: string,
  allowOther: boolean,
): Attachment | "not permitted" {
  const fd = libc.openPath("/dev/fuse", OPEN_FLAGS.RDWR | OPEN_FLAGS.NONBLOCK);
  if (fd === -ERRNO.EACCES || fd === -ERRNO.EPERM) return "not permitted";
  if (fd < 0) throw deviceError(mountPoint, -fd);
  const options = [
    `fd=${fd}`,
    "rootmode=40000",
    `user_id=${libc.effectiveUid()}`,
    `group_id=${libc.effectiveGid()}`,
    "default_permissions",
    ...(allowOther ? ["allow_other"] : []),
  ].join(",");
  try {
    // Read-only also spares a GETATTR per read: otherwise every read makes the atime stale.
    libc.mount(SOURCE, mountPoint, OUR_FILE_SYSTEM_TYPE, MS_RDONLY | MS_NOSUID | MS_NODEV, options);
  } catch (error) {
    libc.close(fd);
    if (error instanceof SystemError && error.errno === ERRNO.EPERM) return "not permitted";
    throw new AttachError(
      `Cannot mount at "${mountPoint}"`,
      "Run `warpdrive mount --check` to see what this machine allows",
      { cause: error },
    );
  }
  return { fd, mountPoint, by: "mount" };
}

async function attachWithHelper(
  libc: Libc,
  mountPoint: string,
  allowOther: boolean,
): Promise<number> {
  const options = [
    `fsname=${SOURCE}`,
    `subtype=${SUBTYPE}`,
    "ro",
    "default_permissions",
    ...(allowOther ? ["allow_other"] : []),
  ];
  const { inherited, kept } = libc.inheritableSocketPair();
  let inheritedOpen = true;
  try {
    const helper = spawnHelper(mountPoint, ["-o", options.join(","), "--", mountPoint], {
      _FUSE_COMMFD: String(inherited),
    });
    libc.close(inherited);
    inheritedOpen = false;
    const [fd, output] = await Promise.all([libc.receiveDescriptor(kept), helper.output()]);
    if (fd !== null) return fd;
    const said = new TextDecoder().decode(output.stderr).trim();
    throw new AttachError(
      `Cannot mount at "${mountPoint}": ${said || "fusermount3 passed no descriptor"}`,
      said.includes("user_allow_other")
        ? "Set allow_other: false, or add user_allow_other to /etc/fuse.conf"
        : "Run as root, or check that you own the mount point and may open /dev/fuse",
    );
  } finally {
    if (inheritedOpen) libc.close(inherited);
    libc.close(kept);
  }
}

function spawnHelper(
  mountPoint: string,
  args: readonly string[],
  env: Record<string, string>,
): Deno.ChildProcess {
  try {
    return new Deno.Command("fusermount3", {
      args: [...args],
      env,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new AttachError(
      `Cannot mount at "${mountPoint}": this user may not mount, and fusermount3 is not installed`,
      "Run as root, or install the fuse3 package",
    );
  }
}

function deviceError(mountPoint: string, errno: number): AttachError {
  const missing = errno === ERRNO.ENOENT || errno === ERRNO.ENODEV || errno === ERRNO.ENXIO;
  return new AttachError(
    `Cannot mount at "${mountPoint}": /dev/fuse ${
      missing ? "does not exist" : `cannot be opened (${errnoName(errno)})`
    }`,
    "Load the module with `modprobe fuse`; in a container pass `--device /dev/fuse`",
  );
}

/**
 * Unmounts; false when the mount is busy. `lazy` detaches it from the tree at once and lets open
 * files live on.
 */
export async function detach(
  libc: Libc,
  mountPoint: string,
  by: Attachment["by"],
  lazy: boolean,
): Promise<boolean> {
  if (by === "mount") return await libc.unmountLater(mountPoint, lazy ? MNT_DETACH : 0);
  const args = [lazy ? "-uz" : "-u", "--", mountPoint];
  const { success } = await spawnHelper(mountPoint, args, {}).output();
  return success;
}

/** Takes away a mount whose daemon died. */
export async function detachDead(libc: Libc, mountPoint: string): Promise<void> {
  const result = libc.unmountDead(mountPoint, MNT_DETACH);
  if (result === 0) return;
  if (result === -ERRNO.EPERM && await detach(libc, mountPoint, "fusermount3", true)) return;
  throw new AttachError(
    `Cannot replace the dead mount at "${mountPoint}": ${errnoName(-result)}`,
    `Run \`umount -l ${mountPoint}\` as root`,
  );
}
