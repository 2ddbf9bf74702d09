/** The place a mount is made at: looked at before, tuned after. */
import type { Clock } from "../cache/platform/clock.ts";
import { CommandError } from "../cache/platform/exit.ts";
import type { Libc } from "../cache/platform/libc.ts";
import { describeError, type Logger } from "../cache/platform/log.ts";
import { within } from "../cache/platform/within.ts";
import type { Machine } from "./check/machine.ts";
import { mayMount } from "../cache/platform/kernel.ts";
import { checkMountPoint, type MountPlace } from "./check/place.ts";
import { detachDead } from "./fuse/attach.ts";
import {
  mountAbove,
  mountAt,
  type MountEntry,
  OUR_FILE_SYSTEM_TYPE,
  parseMountTable,
} from "../cache/platform/mount_table.ts";

/** Longest wait for a directory: one on a file system that hangs never answers. */
export const PLACE_TIMEOUT_MS = 5_000;

/** What is at `mountPoint`; never waits long for a file system that hangs. */
export async function lookAtPlace(
  mountPoint: string,
  machine: Machine,
  clock: Clock,
): Promise<MountPlace> {
  const path = await machine.realPath(mountPoint);
  const mounted = await mountedAt(path, machine);
  try {
    const late = () => new Error("No answer in time; what is mounted there hangs");
    const state = await within(machine.mountPoint(path), PLACE_TIMEOUT_MS, clock, late);
    return { mounted, state };
  } catch (error) {
    return { mounted, state: { kind: "unreadable", reason: describeError(error) } };
  }
}

/** The entry of the mount table for `mountPoint`. */
export async function mountedAt(mountPoint: string, machine: Machine): Promise<MountEntry | null> {
  const table = parseMountTable(await machine.text("/proc/self/mountinfo") ?? "");
  return mountAt(table, mountPoint);
}

/**
 * Makes sure that a mount can be made at `mountPoint`: takes away a dead mount of ours, refuses
 * what is missing, not empty or in use.
 */
export async function prepareMountPoint(
  mountPoint: string,
  machine: Machine,
  libc: Libc,
  clock: Clock,
  logger: Logger,
): Promise<void> {
  let place = await lookAtPlace(mountPoint, machine, clock);
  if (place.state.kind === "dead" && place.mounted?.type === OUR_FILE_SYSTEM_TYPE) {
    logger.warn("Replace a mount whose process is gone", { mount_point: mountPoint });
    await detachDead(libc, mountPoint);
    place = await lookAtPlace(mountPoint, machine, clock);
  }
  const privileged = mayMount(await machine.text("/proc/self/status") ?? "");
  const finding = checkMountPoint(mountPoint, place, privileged);
  if (finding.state === "ok") return;
  throw new CommandError("failed", `Cannot mount: ${finding.detail}`, finding.remedy);
}

/**
 * Sets the kernel's read-ahead of the mount. INIT can only lower the default of 128 KiB, so it is
 * set on the backing device; that needs root, and without it the default stays.
 */
export async function setReadAhead(
  mountPoint: string,
  readAheadBytes: number,
  machine: Machine,
  logger: Logger,
): Promise<void> {
  const entry = await mountedAt(mountPoint, machine);
  if (entry === null) return;
  const path = `/sys/class/bdi/${entry.device}/read_ahead_kb`;
  try {
    await Deno.writeTextFile(path, String(Math.floor(readAheadBytes / 1024)), { create: false });
  } catch (error) {
    logger.info("Keep the kernel's own read-ahead: it may not be set here", { error });
  }
}

/**
 * Stack depth that passthrough of files below `roots` needs: files on overlayfs are already one
 * level deep (fs/fuse/backing.c).
 */
export async function stackDepthOf(roots: readonly string[], machine: Machine): Promise<1 | 2> {
  const table = parseMountTable(await machine.text("/proc/self/mountinfo") ?? "");
  for (const root of roots) {
    if (mountAbove(table, await machine.realPath(root))?.type === "overlay") return 2;
  }
  return 1;
}
