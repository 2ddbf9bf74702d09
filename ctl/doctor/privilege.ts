/** Who would call mount(2): this process, or fusermount3. */
import type { Host } from "../../cache/platform/host.ts";
import { checkPrivilege, mayMount } from "../../cache/platform/kernel.ts";
import { type Check, LOCAL_DEADLINE_MS } from "./check.ts";

/** The check of CAP_SYS_ADMIN and fusermount3. */
export function privilege(host: Host): Check {
  return {
    name: "privilege",
    subject: "privilege",
    deadlineMs: LOCAL_DEADLINE_MS,
    async run() {
      const privileged = mayMount(await host.text("/proc/self/status") ?? "");
      return checkPrivilege(privileged, await host.program("fusermount3"));
    },
  };
}
