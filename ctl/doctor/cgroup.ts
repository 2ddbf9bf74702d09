/** Memory limits of control groups, versions 1 and 2 (cgroups(7)). */
import type { Host } from "../../cache/platform/host.ts";

const ROOT = "/sys/fs/cgroup";
/** What version 1 says where there is no limit: the largest multiple of a page in 63 bits. */
const UNLIMITED_V1 = 2 ** 62;

/** The lowest limit that holds for a process, and the file that sets it. */
export interface MemoryLimit {
  readonly bytes: number;
  readonly file: string;
}

/**
 * The lowest memory limit of the groups that `process` (`self` or a process id) is in, or null
 * where there is none. In a container the path of a group may be that of the host and its files
 * elsewhere, so every level up to the root is asked, and those not there count for nothing.
 */
export async function cgroupMemoryLimit(process: string, host: Host): Promise<MemoryLimit | null> {
  const groups = await host.text(`/proc/${process}/cgroup`) ?? "";
  const files = groups.split("\n").flatMap((line) => limitFiles(line));
  const limits = await Promise.all(files.map(async (file) => {
    const bytes = parseLimit(await host.text(file));
    return bytes === null ? [] : [{ bytes, file }];
  }));
  return limits.flat().reduce<MemoryLimit | null>(
    (lowest, limit) => lowest === null || limit.bytes < lowest.bytes ? limit : lowest,
    null,
  );
}

/** Files with the limits of one line of /proc/PID/cgroup, `ID:CONTROLLERS:PATH`. */
function limitFiles(line: string): readonly string[] {
  const match = /^\d+:([^:]*):(\/.*)$/.exec(line);
  if (match === null) return [];
  const [, controllers = "", path = "/"] = match;
  if (controllers === "") return levels(path).map((level) => `${ROOT}${level}/memory.max`);
  if (!controllers.split(",").includes("memory")) return [];
  return levels(path).map((level) => `${ROOT}/memory${level}/memory.limit_in_bytes`);
}

/** `/a/b` → `/a/b`, `/a`, and the root as `""`. */
function levels(path: string): readonly string[] {
  const names = path.split("/").filter((name) => name !== "");
  return names.map((_, index) => `/${names.slice(0, names.length - index).join("/")}`).concat("");
}

function parseLimit(text: string | null): number | null {
  if (text === null || !/^\d+\s*$/.test(text)) return null; // "max", or no such file
  const bytes = Number(text);
  return bytes >= UNLIMITED_V1 ? null : bytes;
}
