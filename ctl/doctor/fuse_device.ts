/** Whether /dev/fuse is there and opens. */
import type { Host } from "../../cache/platform/host.ts";
import { checkDevice, mayMount } from "../../cache/platform/kernel.ts";
import { type Check, LOCAL_DEADLINE_MS } from "./check.ts";

/** The check of `/dev/fuse`. */
export function fuseDevice(host: Host): Check {
  return {
    name: "fuse_device",
    subject: "FUSE device",
    deadlineMs: LOCAL_DEADLINE_MS,
    async run() {
      const privileged = mayMount(await host.text("/proc/self/status") ?? "");
      return checkDevice(await host.device("/dev/fuse"), privileged);
    },
  };
}
