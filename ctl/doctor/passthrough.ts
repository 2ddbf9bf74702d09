/** Whether the kernel will read files of this machine itself: asked of it, where allowed. */
import { ERRNO, errnoName } from "../../cache/platform/errno.ts";
import { doubtful, type Finding, good } from "../../cache/platform/finding.ts";
import type { Host } from "../../cache/platform/host.ts";
import { checkPassthrough, mayMount } from "../../cache/platform/kernel.ts";
import { type Check, LOCAL_DEADLINE_MS } from "./check.ts";
import type { PassthroughAnswer } from "./passthrough_probe.ts";

const SUBJECT = "passthrough";
const SLOWER = "reads of local and cached files go through the daemon";

/** The check of passthrough. `keepsFiles`: a local backend or a cache has files to read so. */
export function passthrough(
  wanted: boolean,
  keepsFiles: boolean,
  host: Host,
  probe: () => Promise<PassthroughAnswer>,
): Check {
  return {
    name: "passthrough",
    subject: SUBJECT,
    deadlineMs: LOCAL_DEADLINE_MS,
    async run() {
      const privileged = mayMount(await host.text("/proc/self/status") ?? "");
      const guess = checkPassthrough(wanted, keepsFiles, host.kernelRelease, privileged);
      if (!wanted || !keepsFiles || !privileged) return guess;
      return judge(await probe(), host.kernelRelease) ?? guess;
    },
  };
}

/** What the kernel's own answer means; null when it gave none. */
function judge(answer: PassthroughAnswer, release: string): Finding | null {
  switch (answer.kind) {
    case "works":
      return good(SUBJECT, `works: kernel ${release} read through a probe mount of ours`);
    case "not_offered":
      return doubtful(
        SUBJECT,
        `kernel ${release} does not offer it: ${SLOWER}`,
        "Use a kernel 6.9 or later, built with CONFIG_FUSE_PASSTHROUGH",
      );
    case "refused":
      return doubtful(
        SUBJECT,
        `kernel ${release} refuses files of this disk (${errnoName(answer.errno)}): ${SLOWER}`,
        answer.errno === ERRNO.ELOOP || answer.errno === ERRNO.EOPNOTSUPP
          ? "Put the cache on a disk with a file system of its own, such as ext4 or xfs"
          : "Run it with CAP_SYS_ADMIN in the first user namespace",
      );
    case "not_tried":
      return null;
  }
}
