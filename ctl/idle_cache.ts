/** A cache that no mount uses, for commands that only look: read, and left as it is. */
import { existsSync } from "node:fs";
import { join } from "node:path/posix";
import { readPlacedBackends } from "../cache/config/backend_config.ts";
import {
  type CachedPlace,
  type CachedTree,
  selectPaths,
} from "../cache/operations/cached_places.ts";
import { CACHE_SECTION, readCacheSection } from "../cache/config/cache_config.ts";
import { type CacheHolder, describeHolder } from "../cache/disk/cache_directory.ts";
import type { IndexReading } from "../cache/index/reading.ts";
import type { Clock } from "../cache/platform/clock.ts";
import { configError, type ConfigInputs, ConfigReader } from "../cache/platform/config_reader.ts";
import { CommandError } from "../cache/platform/exit.ts";
import { Libc } from "../cache/platform/libc.ts";
import { absolutePath } from "../cache/platform/setting.ts";
import { ReadOnlyIndex } from "../cache/read_only_index.ts";
import { type Teams, teamsOf } from "../cache/config/teams.ts";
import { readTeams, type TeamSettings } from "../cache/config/teams_config.ts";
import { realPath } from "./connect.ts";
import { lookAtLock } from "../cache/disk/lock_check.ts";

/** What is read of it. */
export interface IdleCache {
  readonly directory: string;
  readonly index: IndexReading;
  readonly blockBytes: number;
  /** Null when only the directory is known: then nobody can say where backends were mounted. */
  readonly tree: CachedTree | null;
  readonly teams: Teams;
}

/** Where a cache is and what is known of its mount. */
export type IdleCacheSource = Omit<IdleCache, "index">;

/** The cache in `directory`. Sizes are those of a configuration that says nothing. */
export function sourceOfDirectory(directory: string): IdleCacheSource {
  const { block_size: blockBytes } = CACHE_SECTION.parse({});
  return { directory, blockBytes, tree: null, teams: knownTeams([], null) };
}

/**
 * The cache that the configuration in `file` names. What it says of stores and their credentials is
 * not looked at.
 *
 * @throws {CommandError} when the file is wrong, or configures no cache.
 */
export async function sourceOfConfig(
  file: string,
  inputs: ConfigInputs,
  clock: Clock,
): Promise<IdleCacheSource> {
  const reader = new ConfigReader(inputs.readTextFile(file), inputs);
  const mountPoint = reader.read(absolutePath(), ["mount_point"]);
  const cache = readCacheSection(reader)?.cache ?? null;
  const backends = readPlacedBackends(reader);
  const teams = readTeams(reader);
  if (mountPoint === null || teams === null) throw configError(file, reader.problems);
  if (cache === null) {
    if (reader.problems.length > 0) throw configError(file, reader.problems);
    throw new CommandError(
      "failed",
      `Cannot read the cache of "${file}": it configures none`,
      "Set cache.path in it, or name another file with --config",
    );
  }
  const tree = { mountPoint: await realPath(mountPoint, clock), backends };
  return {
    directory: cache.path,
    blockBytes: cache.blockBytes,
    tree,
    teams: knownTeams(teams, tree),
  };
}

/**
 * What `look` makes of the cache.
 *
 * @throws {CommandError} when a mount uses it, or begins to meanwhile, or it cannot be read.
 */
export async function lookAtIdleCache<T>(
  source: IdleCacheSource,
  look: (cache: IdleCache) => Promise<T>,
): Promise<T> {
  const { directory } = source;
  expectIdle(directory);
  const path = join(directory, "index.sqlite");
  if (!existsSync(path)) {
    throw new CommandError(
      "failed",
      `Cannot read cache "${directory}": there is no cache yet`,
      "Mount it once, or name another with --config or --cache",
    );
  }
  using index = ReadOnlyIndex.open(path);
  const seen = await look({ ...source, index });
  // Read without a lock, it may have changed under our eyes.
  expectIdle(directory);
  return seen;
}

/**
 * The parts of the cache at `path`: below the mount point, or `BACKEND:KEY`.
 *
 * @throws {CommandError} when nothing can be cached there.
 */
export function placesIn({ tree }: IdleCache, path: string): readonly CachedPlace[] {
  if (tree !== null) {
    const found = selectPaths([path], tree);
    if (found.kind === "selected") return found.paths.flatMap(({ places }) => places);
    throw new CommandError(
      "failed",
      `Cannot find "${found.path}" in the cache: ${found.reason}`,
      `Give a path of a cached backend below "${tree.mountPoint}"`,
    );
  }
  const [, backend, key] = /^([A-Za-z0-9][\w.-]{0,62}):(.*)$/s.exec(path) ?? [];
  if (backend !== undefined && key !== undefined) {
    return [{ backend, path: key.replace(/^\/+|\/+$/g, "") }];
  }
  throw new CommandError(
    "usage",
    `Cannot find "${path}" in a cache directory: wanted BACKEND:KEY`,
    "Write images:train/shard-0.tar, or name the configuration with --config instead of --cache",
  );
}

function knownTeams(settings: readonly TeamSettings[], tree: CachedTree | null): Teams {
  const { accounts } = Libc.open();
  return teamsOf(settings, {
    ...tree ?? { mountPoint: "/", backends: [] },
    userId: (name) => accounts.userId(name),
  });
}

function expectIdle(directory: string): void {
  const lock = lookAtLock(directory, Libc.open());
  switch (lock.kind) {
    case "free":
      return;
    case "held":
      throw new CommandError(
        "failed",
        `Cannot read cache "${directory}": ${describeHolder(lock.holder)}`,
        hintFor(lock.holder),
      );
    case "hidden":
      throw new CommandError(
        "failed",
        `Cannot read cache "${directory}": this user may not (${lock.reason})`,
        "Run this as the user of the cache, or as root",
      );
  }
}

function hintFor(holder: CacheHolder | null): string {
  return holder === null
    ? "Ask that process, or wait until it has ended"
    : `Name its mount by a path below it: warpdrive ctl status ${holder.mountPoint}`;
}
