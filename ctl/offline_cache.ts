/** The cache of a configuration that nobody has mounted, opened by a command itself. */
import { existsSync } from "node:fs";
import { join } from "node:path/posix";
import { readPlacedBackends } from "../cache/config/backend_config.ts";
import type { CacheOperations } from "../cache/operations/cache_operations.ts";
import type { CachedTree } from "../cache/operations/cached_places.ts";
import { type CacheSettings, readCacheSection } from "../cache/config/cache_config.ts";
import { FetchBuffers } from "../cache/fetch/fetch_buffers.ts";
import { openCache } from "../cache/open_cache.ts";
import type { CommandContext } from "../cache/platform/cli.ts";
import { configError, type ConfigInputs, ConfigReader } from "../cache/platform/config_reader.ts";
import { CommandError } from "../cache/platform/exit.ts";
import { Libc } from "../cache/platform/libc.ts";
import { absolutePath } from "../cache/platform/setting.ts";
import type { CacheMetrics } from "../cache/metrics/telemetry.ts";
import { realPath } from "./connect.ts";

/** Largest read of the cache; nothing is read through it here but to be verified. */
const READ_BYTES_MAX = 1024 * 1024;

/** A cache this process has locked, until it is disposed. */
export interface OfflineCache extends AsyncDisposable {
  readonly operations: CacheOperations;
  readonly tree: CachedTree;
  /** Its directory. */
  readonly path: string;
  /** What turned out to be damaged and was dropped so far: parts of the index, chunks, files. */
  readonly corruptions: number;
}

/**
 * Opens the cache of the configuration in `file`, under its lock, for the command `name`.
 *
 * @throws {CommandError} when another process uses it, there is none, or the file is wrong.
 */
export async function openOfflineCache(
  file: string,
  name: string,
  { env, clock, logger }: Pick<CommandContext, "env" | "clock" | "logger">,
): Promise<OfflineCache> {
  const { settings, mountPoint, backends, memoryBytes } = readConfig(file, {
    env,
    readTextFile: (path) => Deno.readTextFileSync(path),
  });
  // Opening would make one.
  if (!existsSync(join(settings.path, "index.sqlite"))) {
    throw new CommandError(
      "failed",
      `Cannot open cache "${settings.path}": there is no cache yet`,
      "Mount it once, or name another configuration with --config",
    );
  }
  let corruptions = 0;
  const open = await openCache(settings, {
    libc: Libc.open(),
    clock,
    logger,
    metrics: { ...UNCOUNTED, corrupted: (count) => corruptions += count },
    buffers: new FetchBuffers(memoryBytes),
    mountPoint: `warpdrive ctl ${name}`,
    readBytesMax: READ_BYTES_MAX,
  });
  return {
    operations: open.cache.operations,
    tree: { mountPoint: await realPath(mountPoint, clock), backends },
    path: settings.path,
    get corruptions() {
      return corruptions;
    },
    [Symbol.asyncDispose]: () => open[Symbol.asyncDispose](),
  };
}

/** What concerns the cache; stores and their credentials are not looked at. */
interface OfflineConfig extends CachedTree {
  readonly settings: CacheSettings;
  readonly memoryBytes: number;
}

function readConfig(file: string, inputs: ConfigInputs): OfflineConfig {
  const reader = new ConfigReader(inputs.readTextFile(file), inputs);
  const mountPoint = reader.read(absolutePath(), ["mount_point"]);
  const section = readCacheSection(reader);
  const backends = readPlacedBackends(reader);
  if (mountPoint === null || section === null || reader.problems.length > 0) {
    throw configError(file, reader.problems);
  }
  const { cache: settings, memoryBytes } = section;
  if (settings !== null) return { settings, memoryBytes, mountPoint, backends };
  throw new CommandError(
    "failed",
    `Cannot open the cache of "${file}": it configures none`,
    "Set cache.path in it, or name another file with --config",
  );
}

const UNCOUNTED: CacheMetrics = {
  hit: () => undefined,
  miss: () => undefined,
  evicted: () => undefined,
  corrupted: () => undefined,
  readaheadHit: () => undefined,
  readaheadWasted: () => undefined,
  size: () => undefined,
};
