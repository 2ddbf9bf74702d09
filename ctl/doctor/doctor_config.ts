/** What the doctor takes of a mount's configuration, and how it is given it. */
import type { BackendSettings } from "../../cache/backend/settings.ts";
import type { CacheSettings } from "../../cache/config/cache_config.ts";
import type { ConfigInputs } from "../../cache/platform/config_reader.ts";
import type { Logger } from "../../cache/platform/log.ts";

/** The part of a configuration that decides what is looked at. */
export interface DoctorConfig {
  readonly mountPoint: string;
  readonly allowOther: boolean;
  readonly fuse: {
    readonly passthrough: boolean;
    /** Nodes the mount keeps in memory. */
    readonly nodesMax: number;
  };
  /** Budget of all buffers. */
  readonly memoryBytes: number;
  /** Null when it is off. */
  readonly cache: CacheSettings | null;
  readonly backends: readonly BackendSettings[];
}

/** What the meaning of a file depends on besides its text. */
export interface DoctorInputs extends ConfigInputs {
  /** Who would mount. */
  readonly user: { readonly uid: number; readonly gid: number };
}

/**
 * Reads a configuration file as the mount does, so that the doctor refuses what the mount refuses.
 * The mount's own function, handed in by main.ts: ctl does not know the mount. Rejects with
 * `CommandError` when the file cannot be used.
 */
export type LoadMountConfig = (
  path: string,
  inputs: DoctorInputs,
  logger: Logger,
) => Promise<DoctorConfig>;
