/** Whether other users may be let in. */
import type { Host } from "../../cache/platform/host.ts";
import { checkAllowOther, mayMount } from "../../cache/platform/kernel.ts";
import { type Check, LOCAL_DEADLINE_MS } from "./check.ts";

/** The check of `allow_other` against `/etc/fuse.conf`. */
export function allowOther(wanted: boolean, host: Host): Check {
  return {
    name: "allow_other",
    subject: "allow_other",
    deadlineMs: LOCAL_DEADLINE_MS,
    async run() {
      const privileged = mayMount(await host.text("/proc/self/status") ?? "");
      return checkAllowOther(wanted, privileged, await host.text("/etc/fuse.conf"));
    },
  };
}
