/** `warpdrive umount MOUNTPOINT`. */
import type { CommandContext } from "../cache/platform/cli.ts";
import { CommandError, EXIT, type ExitCode } from "../cache/platform/exit.ts";
import { Libc } from "../cache/platform/libc.ts";
import { mayMount } from "../cache/platform/kernel.ts";
import { OUR_FILE_SYSTEM_TYPE } from "../cache/platform/mount_table.ts";
import { thisMachine } from "./check/machine.ts";
import { detach, detachDead } from "./fuse/attach.ts";
import { describeHolders, holdersOf } from "./holders.ts";
import { lookAtPlace, mountedAt } from "./mount_point.ts";

/** Unmounts `mountPoint`, or fails with the names of those who use it. */
export async function unmountCommandLine(
  mountPoint: string,
  lazy: boolean,
  context: CommandContext,
): Promise<ExitCode> {
  const machine = thisMachine(context.env);
  // As given first: resolving links asks the mount itself, which may hang.
  const entry = await mountedAt(mountPoint, machine) ??
    await mountedAt(await machine.realPath(mountPoint), machine);
  if (entry?.type !== OUR_FILE_SYSTEM_TYPE) {
    throw new CommandError(
      "failed",
      `Cannot unmount "${mountPoint}": ${
        entry === null ? "nothing is mounted there" : `its type is ${entry.type}`
      }, wanted a mount of WarpDrive`,
      "Run `grep warpdrive /proc/self/mounts` to see what is mounted",
    );
  }
  const by = mayMount(await machine.text("/proc/self/status") ?? "") ? "mount" : "fusermount3";
  if (await detach(Libc.open(), entry.mountPoint, by, lazy)) return EXIT.done;
  const holders = describeHolders(await holdersOf(entry.mountPoint));
  throw new CommandError(
    "failed",
    `Cannot unmount "${mountPoint}": it is used by ${holders}`,
    "End them first, or take it out of the tree at once with --lazy",
  );
}

/** Takes `mountPoint` out of the tree if it is a mount of ours whose process has ended. */
export async function unmountDead(mountPoint: string, context: CommandContext): Promise<ExitCode> {
  const { mounted, state } = await lookAtPlace(
    mountPoint,
    thisMachine(context.env),
    context.clock,
  );
  if (state.kind === "dead" && mounted?.type === OUR_FILE_SYSTEM_TYPE) {
    await detachDead(Libc.open(), mounted.mountPoint);
  }
  return EXIT.done;
}
