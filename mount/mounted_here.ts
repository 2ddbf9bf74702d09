/** Whether a mount is still in the tree, as the namespace of this process has it. */
import { parseMountTable } from "../cache/platform/mount_table.ts";
import type { Machine } from "./check/machine.ts";
import { mountedAt } from "./mount_point.ts";

/** Asks for one mount; true, too, where nothing can be found out. */
export type MountedHere = () => Promise<boolean>;

/**
 * For the mount that was just made at `mountPoint`. It is known by its device: another mount at the
 * same place is not it, and a copy of it elsewhere in the tree is.
 */
export async function mountedHere(mountPoint: string, machine: Machine): Promise<MountedHere> {
  const device = (await mountedAt(mountPoint, machine))?.device;
  return async () => {
    const table = await machine.text("/proc/self/mountinfo");
    return device === undefined || table === null ||
      parseMountTable(table).some((entry) => entry.device === device);
  };
}
