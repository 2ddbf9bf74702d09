/**
 * Whether a cache can be kept in a directory: it is there or can be made, may be written, and is on
 * a fit disk. What `mount --check` and `ctl doctor` both ask.
 */
import { constants } from "node:fs/promises";
import { bad, doubtful, type Finding, good } from "../platform/finding.ts";
import { type Host, isAccessible } from "../platform/host.ts";
import { describeError } from "../platform/log.ts";
import { findCachePlace, type LookAtPath, lookAtPath, mountOf } from "./cache_place.ts";

/** What the finding is about. */
export const CACHE_DIRECTORY = "cache directory";
/** Why nothing else of a cache is looked at where its directory cannot be used. */
export const SEE_DIRECTORY = `see ${CACHE_DIRECTORY}`;
/** File systems whose bytes are across a network, where a cache saves nothing. */
const REMOTE = /^(nfs4?|cifs|smb3|9p|ceph|lustre|beegfs|glusterfs|afs|gpfs|fuse(\..*)?)$/;
/** File systems whose bytes are in memory. */
const IN_MEMORY = /^(tmpfs|ramfs)$/;
/** File systems of the kernel, which keep no files. */
const OF_KERNEL =
  /^(proc|sysfs|cgroup2?|devpts|mqueue|bpf|pstore|(debug|trace|security|config|efivar)fs)$/;

/** What is asked of the machine about a directory. */
export interface CacheDirectoryFacts {
  readonly host: Host;
  readonly look: LookAtPath;
  /** Whether this user may create files in a directory. */
  readonly writable: (directory: string) => Promise<boolean>;
}

/** What was found of the directory of a cache. */
export type CacheDirectoryLook =
  /** `existing` is the directory, or the closest above it where it is still to be created. */
  | { readonly usable: true; readonly finding: Finding; readonly existing: string }
  | { readonly usable: false; readonly finding: Finding };

/** {@linkcode CacheDirectoryFacts} of this machine. */
export function cacheDirectoryFacts(host: Host): CacheDirectoryFacts {
  const writable = (directory: string) => isAccessible(directory, constants.W_OK | constants.X_OK);
  return { host, look: lookAtPath, writable };
}

/** Looks at `cache.path`, and changes nothing. */
export async function lookAtCacheDirectory(
  path: string,
  facts: CacheDirectoryFacts,
): Promise<CacheDirectoryLook> {
  const quoted = JSON.stringify(path);
  const unusable = (detail: string, remedy: string): CacheDirectoryLook => ({
    usable: false,
    finding: bad(CACHE_DIRECTORY, detail, remedy),
  });
  try {
    const place = await findCachePlace(path, facts.look);
    if (place.kind === "blocked") {
      const reason = `${JSON.stringify(place.by)} is no directory`;
      return unusable(
        place.by === path ? reason : `${quoted} cannot be created: ${reason}`,
        "Correct cache.path",
      );
    }
    const { existing } = place;
    const type = (await mountOf(existing, facts.host))?.type ?? "unknown";
    if (OF_KERNEL.test(type)) {
      return unusable(`${quoted} is on ${type}, which keeps no files`, LOCAL_DISK);
    }
    if (!await facts.writable(existing)) {
      return unusable(
        `this user may not write to ${JSON.stringify(existing)}`,
        `Run this as the user of the mount, or give it the directory: ` +
          `"mkdir -p ${path} && chown USER ${path}"`,
      );
    }
    const state = existing === path ? `${quoted} is writable` : `${quoted} will be created`;
    return { usable: true, finding: judgeFileSystem(state, type), existing };
  } catch (error) {
    return { usable: false, finding: cannotBeLookedAt(path, error) };
  }
}

/** What is found of a `cache.path` that fails, or does not answer. */
export function cannotBeLookedAt(path: string, error: unknown): Finding {
  return bad(
    CACHE_DIRECTORY,
    `${JSON.stringify(path)} cannot be looked at: ${describeError(error)}`,
    "Check that its disk is mounted and answers, or correct cache.path",
  );
}

function judgeFileSystem(state: string, type: string): Finding {
  const found = `${state}, on ${type}`;
  if (REMOTE.test(type)) {
    return doubtful(CACHE_DIRECTORY, `${found}, across a network`, LOCAL_DISK);
  }
  if (IN_MEMORY.test(type)) {
    return doubtful(
      CACHE_DIRECTORY,
      `${found}, in memory: every cached byte counts against it`,
      LOCAL_VOLUME,
    );
  }
  if (type === "overlay") {
    return doubtful(
      CACHE_DIRECTORY,
      `${found}, the layer of a container that goes with it`,
      LOCAL_VOLUME,
    );
  }
  return good(CACHE_DIRECTORY, found);
}

const LOCAL_DISK = "Put cache.path on a local disk";
const LOCAL_VOLUME = `${LOCAL_DISK}, with a volume where it is a container`;
