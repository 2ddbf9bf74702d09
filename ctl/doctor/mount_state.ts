/** Whether there is a mount at the mount point now, and whether it answers. */
import { bad, type Finding, good } from "../../cache/platform/finding.ts";
import type { Host } from "../../cache/platform/host.ts";
import { describeError } from "../../cache/platform/log.ts";
import {
  mountAt,
  OUR_FILE_SYSTEM_TYPE,
  parseMountTable,
} from "../../cache/platform/mount_table.ts";
import { type Check, LOCAL_DEADLINE_MS } from "./check.ts";

/** The check of the mount point; `look` asks for what only the process behind a mount knows. */
export function mountState(
  mountPoint: string,
  host: Host,
  look: (path: string) => Promise<unknown>,
): Check {
  const subject = "mount";
  return {
    name: "mount",
    subject,
    deadlineMs: LOCAL_DEADLINE_MS,
    async run(): Promise<Finding> {
      const table = parseMountTable(await host.text("/proc/self/mountinfo") ?? "");
      const mounted = mountAt(table, await host.realPath(mountPoint));
      const quoted = JSON.stringify(mountPoint);
      if (mounted === null) return good(subject, `nothing is mounted at ${quoted}`);
      if (mounted.type !== OUR_FILE_SYSTEM_TYPE) {
        return bad(
          subject,
          `${quoted} is a mount of another program, of type ${mounted.type}`,
          "Choose another mount_point, or unmount that one",
        );
      }
      try {
        await look(mountPoint);
        return good(subject, `${quoted} is mounted, and answers`);
      } catch (error) {
        return bad(
          subject,
          `${quoted} is mounted and does not answer: ${describeError(error)}`,
          `Start the mount again, or run "warpdrive umount --lazy ${mountPoint}"`,
        );
      }
    },
  };
}
