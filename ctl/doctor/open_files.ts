/** Whether enough files may be open at once. */
import type { Host } from "../../cache/platform/host.ts";
import { checkOpenFiles } from "../../cache/platform/kernel.ts";
import { type Check, LOCAL_DEADLINE_MS } from "./check.ts";

/** The check of RLIMIT_NOFILE, of this process: a service has a limit of its own. */
export function openFiles(host: Host): Check {
  return {
    name: "open_files",
    subject: "open files",
    deadlineMs: LOCAL_DEADLINE_MS,
    async run() {
      return checkOpenFiles(await host.text("/proc/self/limits") ?? "");
    },
  };
}
