/**
 * What the doctor wants to know of a mount's configuration file. Sections that only the mount reads
 * are left to `mount --check`.
 */
import type { BackendSettings } from "../../cache/backend/settings.ts";
import { readBackends } from "../../cache/config/backend_config.ts";
import { type CacheSettings, readCacheSection } from "../../cache/config/cache_config.ts";
import {
  configError,
  type ConfigInputs,
  ConfigReader,
} from "../../cache/platform/config_reader.ts";
import { CommandError } from "../../cache/platform/exit.ts";
import { absolutePath, flag, integer } from "../../cache/platform/setting.ts";

/** The part of a configuration that decides what is looked at. */
export interface DoctorConfig {
  readonly mountPoint: string;
  readonly allowOther: boolean;
  readonly passthrough: boolean;
  /** Nodes the mount keeps in memory. */
  readonly nodesMax: number;
  /** Budget of all buffers. */
  readonly memoryBytes: number;
  /** Null when it is off. */
  readonly cache: CacheSettings | null;
  readonly backends: readonly BackendSettings[];
}

/**
 * Reads the file at `path`.
 *
 * @param isRoot Whether root mounts, which lets others in by default.
 * @throws {CommandError} `usage` with all problems, or why the file cannot be read.
 */
export function loadDoctorConfig(
  path: string,
  inputs: ConfigInputs,
  isRoot: boolean,
): DoctorConfig {
  const reader = new ConfigReader(readConfigText(path, inputs), inputs);
  if (!reader.readable) {
    reader.report([], "wanted a mapping of keys to values, such as mount_point: /mnt/data");
    throw configError(path, reader.problems);
  }
  const mountPoint = reader.read(absolutePath(), ["mount_point"]);
  const allowOther = reader.read(flag().optional(), ["allow_other"]);
  const passthrough = reader.read(flag().prefault("true"), ["fuse", "passthrough"]);
  const nodesMax = reader.read(integer(1_000, 1_000_000_000).prefault("1000000"), [
    "fuse",
    "max_nodes",
  ]);
  const section = readCacheSection(reader);
  const backends = readBackends(reader);
  if (
    mountPoint === null || allowOther === null || passthrough === null || nodesMax === null ||
    section === null || reader.problems.length > 0
  ) throw configError(path, reader.problems);
  return {
    mountPoint,
    allowOther: allowOther ?? isRoot,
    passthrough,
    nodesMax,
    memoryBytes: section.memoryBytes,
    cache: section.cache,
    backends,
  };
}

function readConfigText(path: string, inputs: ConfigInputs): string {
  try {
    return inputs.readTextFile(path);
  } catch (cause) {
    throw new CommandError(
      "usage",
      `Cannot read configuration ${JSON.stringify(path)}`,
      "Give the path of a readable file with --config",
      { cause },
    );
  }
}
