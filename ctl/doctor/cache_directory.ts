/** Whether the cache directory is there or can be made, may be written, and is on a fit disk. */
import { bad, doubtful, type Finding, good } from "../../cache/platform/finding.ts";
import type { Host } from "../../cache/platform/host.ts";
import { existingDirectory, type LookAtPath, mountOf } from "./cache_place.ts";
import { type Check, LOCAL_DEADLINE_MS } from "./check.ts";

const SUBJECT = "cache directory";
/** File systems whose bytes are across a network, where a cache saves nothing. */
const REMOTE = /^(nfs4?|cifs|smb3|9p|ceph|lustre|beegfs|glusterfs|afs|gpfs|fuse(\..*)?)$/;
/** File systems whose bytes are in memory. */
const IN_MEMORY = /^(tmpfs|ramfs)$/;

/** What the check asks of the machine. */
export interface CacheDirectoryFacts {
  readonly host: Host;
  readonly look: LookAtPath;
  /** Whether this user may create files in a directory. */
  readonly writable: (directory: string) => Promise<boolean>;
}

/** The check of `cache.path`. */
export function cacheDirectory(path: string, facts: CacheDirectoryFacts): Check {
  return {
    name: "cache_directory",
    subject: SUBJECT,
    deadlineMs: LOCAL_DEADLINE_MS,
    run: () => examine(path, facts),
  };
}

async function examine(path: string, facts: CacheDirectoryFacts): Promise<Finding> {
  const quoted = JSON.stringify(path);
  const kind = await facts.look(path);
  if (kind === "other") return bad(SUBJECT, `${quoted} is no directory`, "Correct cache.path");
  const existing = await existingDirectory(path, facts.look);
  if (!await facts.writable(existing)) {
    return bad(
      SUBJECT,
      `this user may not write to ${JSON.stringify(existing)}`,
      `Run the doctor as the user of the mount, or give it the directory: ` +
        `"mkdir -p ${path} && chown USER ${path}"`,
    );
  }
  const type = (await mountOf(existing, facts.host))?.type ?? "unknown";
  const state = kind === null ? `${quoted} will be created` : `${quoted} is writable`;
  return judgeFileSystem(state, type);
}

function judgeFileSystem(state: string, type: string): Finding {
  const found = `${state}, on ${type}`;
  if (REMOTE.test(type)) {
    return doubtful(SUBJECT, `${found}, across a network`, "Put cache.path on a local disk");
  }
  if (IN_MEMORY.test(type)) {
    return doubtful(
      SUBJECT,
      `${found}, in memory: every cached byte counts against it`,
      LOCAL_DISK,
    );
  }
  if (type === "overlay") {
    return doubtful(SUBJECT, `${found}, the layer of a container that goes with it`, LOCAL_DISK);
  }
  return good(SUBJECT, found);
}

const LOCAL_DISK = "Put cache.path on a local disk, with a volume where it is a container";
