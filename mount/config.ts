/** The whole configuration of `warpdrive mount`, resolved and checked. */
import type { BackendSettings } from "../cache/backend/settings.ts";
import type { CacheSettings } from "../cache/config/cache_config.ts";
import type { TeamSettings } from "../cache/config/teams_config.ts";
import type { ControlPlace } from "../ctl/api_sockets.ts";

/** What the kernel is told and asked for. */
export interface FuseSettings {
  readonly attrTimeoutMs: number;
  readonly entryTimeoutMs: number;
  readonly negativeTimeoutMs: number;
  /** Requests the kernel keeps outstanding in the background (read-ahead). */
  readonly maxBackground: number;
  readonly congestionThreshold: number;
  /** Kernel read-ahead of the mount. */
  readonly readAheadBytes: number;
  /** Let the kernel read complete local files itself where it can. */
  readonly passthrough: boolean;
  /** Nodes kept in memory before the kernel is made to forget idle ones. */
  readonly nodesMax: number;
}

/** Owner and permission bits shown for objects that have none of their own. */
export interface OwnerSettings {
  readonly uid: number;
  readonly gid: number;
  readonly fileMode: number;
  readonly directoryMode: number;
}

/** The Prometheus and health endpoint. */
export interface MetricsSettings {
  readonly enabled: boolean;
  readonly hostname: string;
  readonly port: number;
}

/** The sockets by which a running mount is asked and steered. */
export interface ControlSettings {
  readonly place: ControlPlace;
  /** Whose members may use the admin socket besides the mounting user and root; null: nobody. */
  readonly group: string | null;
}

/** Everything `warpdrive mount` needs to know. Durations in milliseconds, sizes in bytes. */
export interface MountConfig {
  /** Written down in a file, or a single URL on the command line. */
  readonly origin: "file" | "url";
  readonly mountPoint: string;
  readonly allowOther: boolean;
  readonly fuseDebug: boolean;
  readonly fuse: FuseSettings;
  readonly owner: OwnerSettings;
  /** How long a listing or stat answer is used before the store is asked again. */
  readonly staleTtlMs: number;
  /** Entries of all cached listings together. */
  readonly listingEntriesMax: number;
  /** The block cache; null when it is off. */
  readonly cache: CacheSettings | null;
  /** Budget of all buffers for bytes on their way from the stores. */
  readonly memoryBytes: number;
  readonly backends: readonly BackendSettings[];
  /** Whom the cache is accounted to. */
  readonly teams: readonly TeamSettings[];
  readonly metrics: MetricsSettings;
  /** Null when it has none. */
  readonly control: ControlSettings | null;
}
