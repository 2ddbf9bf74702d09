/**
 * The mount's configuration file: YAML text to {@linkcode MountConfig}, or everything that is wrong
 * with it. Pure: the environment, the secret files and the user are handed in.
 */
import { readBackends } from "../cache/config/backend_config.ts";
import { readCacheSection } from "../cache/config/cache_config.ts";
import {
  type ConfigPath,
  type ConfigProblem,
  formatProblem,
} from "../cache/platform/config_problem.ts";
import { configError, type ConfigInputs, ConfigReader } from "../cache/platform/config_reader.ts";
import { CommandError } from "../cache/platform/exit.ts";
import type { Logger } from "../cache/platform/log.ts";
import { absolutePath } from "../cache/platform/setting.ts";
import { readTeams } from "../cache/config/teams_config.ts";
import { controlPlace, socketPathFits } from "../ctl/api_sockets.ts";
import type { ControlSettings, FuseSettings, MountConfig, OwnerSettings } from "./config.ts";
import { FUSE_SECTION, MOUNT_FILE } from "./config_sections.ts";
import { pathContains, pathsOverlap } from "./path_overlap.ts";

/** What the file's meaning depends on besides its text. */
export interface MountConfigInputs extends ConfigInputs {
  /** Who mounts: owner of the files, and whether others may be let in by default. */
  readonly user: { readonly uid: number; readonly gid: number };
}

/** A configuration to mount by, or what to correct. Both lists are in the order of the file. */
export type MountConfigOutcome =
  | {
    readonly ok: true;
    readonly config: MountConfig;
    readonly warnings: readonly ConfigProblem[];
  }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** Reads the text of a configuration file. */
export function parseMountConfig(text: string, inputs: MountConfigInputs): MountConfigOutcome {
  const reader = new ConfigReader(text, inputs);
  if (!reader.readable) {
    reader.report([], "wanted a mapping of keys to values, such as mount_point: /mnt/data");
    return { ok: false, problems: reader.problems };
  }
  const config = readMountFile(reader, inputs);
  const { problems, warnings } = reader;
  if (config === null || problems.length > 0) return { ok: false, problems };
  return { ok: true, config, warnings };
}

/**
 * Reads the configuration file at `path`, through `inputs.readTextFile`; remarks go to `logger`.
 *
 * @throws {CommandError} `usage` with all problems, or why the file cannot be read.
 */
export function loadMountConfig(
  path: string,
  inputs: MountConfigInputs,
  logger: Logger,
): MountConfig {
  let text: string;
  try {
    text = inputs.readTextFile(path);
  } catch (cause) {
    throw new CommandError(
      "usage",
      `Cannot read configuration ${JSON.stringify(path)}`,
      "Give the path of a readable file with --config",
      { cause },
    );
  }
  const outcome = parseMountConfig(text, inputs);
  if (!outcome.ok) throw configError(path, outcome.problems);
  for (const warning of outcome.warnings) {
    logger.warn("Configuration remark", { remark: formatProblem(path, warning) });
  }
  return outcome.config;
}

/** Reads every section before giving up on any, so that all problems are reported. */
function readMountFile(reader: ConfigReader, inputs: MountConfigInputs): MountConfig | null {
  // Reports unknown keys and wrong values everywhere; the sections below then add what no single
  // key can know.
  reader.read(MOUNT_FILE, []);
  const keys = MOUNT_FILE.shape;
  const mountPoint = readMountPoint(reader);
  const allowOther = reader.read(keys.allow_other, ["allow_other"]);
  const fuseDebug = reader.read(keys.fuse_debug, ["fuse_debug"]);
  const fuse = readFuse(reader);
  const owner = readOwner(reader, inputs);
  const cacheSection = readCacheSection(reader);
  const backends = readBackends(reader);
  const teams = readTeams(reader);
  const metrics = reader.read(keys.metrics, ["metrics"]);
  const control = mountPoint === null ? null : readControl(reader, mountPoint, inputs);
  if (mountPoint !== null) checkPaths(reader, mountPoint);
  warnUnused(reader);
  if (
    mountPoint === null || allowOther === null || fuseDebug === null || fuse === null ||
    owner === null || cacheSection === null || teams === null || metrics === null
  ) return null;
  return {
    mountPoint,
    allowOther: allowOther ?? inputs.user.uid === 0,
    fuseDebug,
    fuse,
    owner,
    ...cacheSection,
    backends,
    teams,
    origin: "file",
    metrics: { enabled: metrics.enabled, ...metrics.addr },
    control,
  };
}

function readMountPoint(reader: ConfigReader): string | null {
  const mountPoint = reader.read(MOUNT_FILE.shape.mount_point, ["mount_point"]);
  if (mountPoint !== "/") return mountPoint;
  reader.report(["mount_point"], "wanted a directory of its own, not the root of the system");
  return null;
}

function readFuse(reader: ConfigReader): FuseSettings | null {
  const congestionThreshold = readCongestionThreshold(reader);
  const fuse = reader.read(MOUNT_FILE.shape.fuse, ["fuse"]);
  if (fuse === null || congestionThreshold === null) return null;
  return {
    attrTimeoutMs: fuse.attr_timeout,
    entryTimeoutMs: fuse.entry_timeout,
    negativeTimeoutMs: fuse.negative_timeout,
    maxBackground: fuse.max_background,
    congestionThreshold,
    readAheadBytes: fuse.max_read_ahead,
    passthrough: fuse.passthrough,
    nodesMax: fuse.max_nodes,
  };
}

/** Read by itself, so that other mistakes in the section do not hide a contradiction. */
function readCongestionThreshold(reader: ConfigReader): number | null {
  const { max_background, congestion_threshold } = FUSE_SECTION.shape;
  const maximum = reader.read(max_background, ["fuse", "max_background"]);
  const path = ["fuse", "congestion_threshold"];
  const written = reader.read(congestion_threshold, path);
  if (maximum === null || written === null) return null;
  // Three quarters is the kernel's own ratio; a threshold above the maximum is never reached.
  const threshold = written ?? Math.ceil(maximum * 3 / 4);
  if (threshold <= maximum) return threshold;
  reader.report(path, `wanted at most fuse.max_background, which is ${maximum}`);
  return null;
}

function readOwner(reader: ConfigReader, inputs: MountConfigInputs): OwnerSettings | null {
  const owner = reader.read(MOUNT_FILE.shape.owner, ["owner"]);
  if (owner === null) return null;
  return {
    uid: owner.uid ?? inputs.user.uid,
    gid: owner.gid ?? inputs.user.gid,
    fileMode: owner.file_mode,
    directoryMode: owner.dir_mode,
  };
}

/** Null when there are to be no sockets, or the section has problems, which are then reported. */
function readControl(
  reader: ConfigReader,
  mountPoint: string,
  { env, user }: MountConfigInputs,
): ControlSettings | null {
  const written = reader.read(MOUNT_FILE.shape.control, ["control"]);
  if (written === null || !written.enabled) return null;
  const { path, name, group = null } = written;
  if (path !== undefined && name !== undefined) {
    reader.report(["control", "name"], 'part of the default of "path", which is given: keep one');
  }
  const place = controlPlace({ path, name, mountPoint, uid: user.uid, env });
  if (path !== undefined && !socketPathFits(path)) {
    const wanted = "a socket in it would have too long a path, wanted at most 96 bytes";
    reader.report(["control", "path"], wanted);
  }
  if (path === undefined && place.kind === "directory" && pathContains(mountPoint, place.path)) {
    const inside = `would hide the control sockets in ${JSON.stringify(place.path)}`;
    reader.report(["mount_point"], `${inside}: wanted another, or control.path elsewhere`);
  }
  return { place, group };
}

/** Keeps every path the daemon uses out of its own mount, where each access would wait for it. */
function checkPaths(reader: ConfigReader, mountPoint: string): void {
  const inside = `wanted a path outside the mount point ${JSON.stringify(mountPoint)}`;
  for (
    const path of [["cache", "path"], ["cache", "dir"], ["telemetry", "file_path"], [
      "control",
      "path",
    ]]
  ) {
    if (!reader.has(path)) continue;
    const used = reader.read(absolutePath(), path);
    if (used !== null && pathContains(mountPoint, used)) reader.report(path, inside);
  }
  for (const position of reader.keys(["backends"])) {
    const path = ["backends", position];
    checkLocalRoot(reader, path, mountPoint);
    const mountPath = reader.text([...path, "mount_path"]);
    if (mountPath?.startsWith(`${mountPoint}/`) === true) {
      reader.warn(
        [...path, "mount_path"],
        `is below the mount point: the backend appears at ${mountPoint}${mountPath}`,
      );
    }
  }
}

function checkLocalRoot(reader: ConfigReader, backendPath: ConfigPath, mountPoint: string): void {
  const path = [...backendPath, "config", "root"];
  if (reader.text([...backendPath, "type"]) !== "local" || !reader.has(path)) return;
  const root = reader.read(absolutePath(), path);
  if (root === null || !pathsOverlap(root, mountPoint)) return;
  const [relation, consequence] = pathContains(root, mountPoint)
    ? ["contains", "so reading it would enter the mount"]
    : ["lies under", "which would hide it"];
  const place = `the mount point ${JSON.stringify(mountPoint)}`;
  reader.report(path, `${relation} ${place}, ${consequence}: wanted a root outside`);
}

/** Sections whose settings are checked today and used by a later version. */
function warnUnused(reader: ConfigReader): void {
  for (const key of ["telemetry", "control_plane"]) {
    if (reader.has([key])) reader.warn([key], NOT_USED_YET);
  }
}

const NOT_USED_YET = "checked, and not used by this version yet";
