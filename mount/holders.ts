/** Who keeps a mount busy: processes with a file, a mapping or a working directory in it. */
import { pathContains } from "./path_overlap.ts";

/** A process and what it holds. */
export interface Holder {
  readonly pid: number;
  readonly command: string;
  /** In a few words: `working directory`, `open file /wd/a`. */
  readonly holds: string;
}

/** Reads /proc: links and files there tell paths without touching the mount itself. */
export async function holdersOf(mountPoint: string): Promise<readonly Holder[]> {
  const holders: Holder[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name) || Number(name) === Deno.pid) continue;
    const holds = await whatHolds(name, mountPoint);
    if (holds !== null) holders.push({ pid: Number(name), command: await commandOf(name), holds });
  }
  return holders;
}

/** One line per holder. */
export function describeHolders(holders: readonly Holder[]): string {
  if (holders.length === 0) return "no process that may be seen";
  return holders.map(({ pid, command, holds }) => `${command} (pid ${pid}, ${holds})`).join("; ");
}

async function whatHolds(pid: string, mountPoint: string): Promise<string | null> {
  if (await linkLeadsInto(`/proc/${pid}/cwd`, mountPoint)) return "working directory";
  if (await linkLeadsInto(`/proc/${pid}/root`, mountPoint)) return "root directory";
  if (await linkLeadsInto(`/proc/${pid}/exe`, mountPoint)) return "running program";
  return await openFile(pid, mountPoint) ?? await mappedFile(pid, mountPoint);
}

async function linkLeadsInto(link: string, mountPoint: string): Promise<boolean> {
  const target = await Deno.readLink(link).catch(() => null);
  // "/" contains everything else; only what lies at or below the mount point counts.
  return target !== null && pathContains(mountPoint, target);
}

async function openFile(pid: string, mountPoint: string): Promise<string | null> {
  try {
    for await (const { name } of Deno.readDir(`/proc/${pid}/fd`)) {
      const target = await Deno.readLink(`/proc/${pid}/fd/${name}`).catch(() => null);
      if (target !== null && pathContains(mountPoint, target)) return `open file ${target}`;
    }
  } catch {
    // The process ended, or belongs to another user.
  }
  return null;
}

async function mappedFile(pid: string, mountPoint: string): Promise<string | null> {
  const maps = await Deno.readTextFile(`/proc/${pid}/maps`).catch(() => "");
  for (const line of maps.split("\n")) {
    const path = line.slice(line.indexOf("/"));
    if (line.includes("/") && pathContains(mountPoint, path)) return `mapped file ${path}`;
  }
  return null;
}

async function commandOf(pid: string): Promise<string> {
  return (await Deno.readTextFile(`/proc/${pid}/comm`).catch(() => "unknown")).trim();
}
