/** How a file would be opened now, and why not in passthrough. Pure. */
import type { CacheState } from "../../cache/disk/cache_health.ts";
import type { ObjectDescription } from "../../cache/operations/object_description.ts";
import type { Explanation } from "../../ctl/api_explain.ts";
import type { OpenMode } from "../fs/open_mode.ts";

/** What decides it. */
export interface OpenFacts {
  readonly kept: Explanation["kept"];
  /** The kernel takes backing files from this mount. */
  readonly passthrough: boolean;
  /** How the version to be opened is open now. */
  readonly mode: OpenMode["mode"];
  readonly cache: CacheState;
  /** What is cached of that version. */
  readonly version: ObjectDescription | null;
  /** This process has compared all of it with its checksums. */
  readonly isVerified: boolean;
}

/** The answer. */
export function nextOpen(facts: OpenFacts): NonNullable<Explanation["next_open"]> {
  if (facts.mode === "passthrough") return { mode: "passthrough", reason: null };
  const reason = whyNotPassthrough(facts);
  return reason === null ? { mode: "passthrough", reason } : { mode: "daemon", reason };
}

function whyNotPassthrough(
  { kept, passthrough, mode, cache, version, isVerified }: OpenFacts,
): string | null {
  if (!passthrough) return "this mount has no passthrough";
  if (mode === "cached") return "it is open through the daemon, and all opens have to agree";
  if (kept === "in_place") return null;
  if (kept === "read_through") return "there is no cache";
  if (cache.kind === "bypassed") return `the cache is bypassed: ${cache.reason}`;
  if (version === null) return "nothing of this version is cached";
  if (version.admission === "evicted") return "it was evicted while it was open";
  const { present, count } = version.chunks;
  if (present < count) return `${count - present} of its ${count} chunks are not cached`;
  return isVerified ? null : "it is verified at its first open since the mount was started";
}
