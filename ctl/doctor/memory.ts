/** Whether the mount's memory fits into what it may use. */
import { bad, doubtful, type Finding, good } from "../../cache/platform/finding.ts";
import type { Host } from "../../cache/platform/host.ts";
import { formatBytes } from "../../cache/platform/units.ts";
import { cgroupMemoryLimit, type MemoryLimit } from "./cgroup.ts";
import { type Check, LOCAL_DEADLINE_MS } from "./check.ts";

const SUBJECT = "memory";
/** Code, heap and libraries of a mount that serves: twice what `bench/` measured, 105 MiB. */
const PROCESS_BYTES = 256 * 1024 * 1024;
/** A file the kernel knows, with its names: 0.9 GiB at a million of them, less the process. */
const NODE_BYTES = 700;

/** What decides how much a mount takes. */
export interface MemoryNeeds {
  /** `cache.memory`. */
  readonly buffersBytes: number;
  readonly nodesMax: number;
}

/**
 * The check of memory. `mountProcess` gives the id of the process that has the cache, so that its
 * own limit counts; null where none runs, and then the limit of this process does.
 */
export function memory(
  needs: MemoryNeeds,
  host: Host,
  mountProcess: () => number | null,
): Check {
  return {
    name: "memory",
    subject: SUBJECT,
    deadlineMs: LOCAL_DEADLINE_MS,
    async run() {
      const pid = mountProcess();
      const process = pid === null ? "self" : String(pid);
      const status = pid === null ? null : await host.text(`/proc/${pid}/status`);
      return judgeMemory(
        needs,
        await cgroupMemoryLimit(process, host),
        parseKib(await host.text("/proc/meminfo"), "MemTotal"),
        parseKib(status, "VmRSS"),
      );
    },
  };
}

/** Judges; `residentBytes` is what a running mount takes now. */
export function judgeMemory(
  { buffersBytes, nodesMax }: MemoryNeeds,
  limit: MemoryLimit | null,
  totalBytes: number | null,
  residentBytes: number | null,
): Finding {
  const least = PROCESS_BYTES + buffersBytes;
  const most = least + nodesMax * NODE_BYTES;
  const limited = limit !== null && (totalBytes === null || limit.bytes < totalBytes);
  const bytes = limited ? limit.bytes : totalBytes;
  const now = residentBytes === null ? "" : `; the mount has ${formatBytes(residentBytes)} now`;
  const needed = `${formatBytes(least)} with cache.memory, up to ${formatBytes(most)} ` +
    `with fuse.max_nodes`;
  if (bytes === null) {
    return doubtful(SUBJECT, `how much there is, is not known; needed: ${needed}`, "Check it");
  }
  const room = limited
    ? `${formatBytes(bytes)} by ${limit.file}`
    : `${formatBytes(bytes)} of the machine, no limit below it`;
  const found = `${room}; needed: ${needed}${now}`;
  if (bytes < least) {
    return bad(
      SUBJECT,
      found,
      "Raise the limit of the service or container, or lower cache.memory",
    );
  }
  if (bytes < most) {
    return doubtful(SUBJECT, found, "Raise the limit, or lower cache.memory or fuse.max_nodes");
  }
  return good(SUBJECT, found);
}

/** The value of `name` in /proc/meminfo or /proc/PID/status, in bytes. */
function parseKib(text: string | null, name: string): number | null {
  const kib = new RegExp(`^${name}:\\s*(\\d+) kB$`, "m").exec(text ?? "")?.[1];
  return kib === undefined ? null : Number(kib) * 1024;
}
