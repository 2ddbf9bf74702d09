/** Which mount of ours a path is below, as the mount table of this process says. */
import { dirname, resolve } from "node:path/posix";
import { mountAt, OUR_FILE_SYSTEM_TYPE, parseMountTable } from "../cache/platform/mount_table.ts";

/**
 * Where the mount of ours is that `path` is below, going by how it is written alone: following it
 * would ask the mount, which may wait for its store. Null when it is below none.
 */
export async function mountPointAbove(path: string): Promise<string | null> {
  const table = parseMountTable(await Deno.readTextFile("/proc/self/mountinfo"));
  for (let place = resolve(path);; place = dirname(place)) {
    const mounted = mountAt(table, place);
    if (mounted !== null) return mounted.type === OUR_FILE_SYSTEM_TYPE ? place : null;
    if (place === "/") return null;
  }
}
