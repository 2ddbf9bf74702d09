/** The cache of a configuration that nobody has mounted, opened by a command itself. */
import { existsSync } from "node:fs";
import type { CacheOperations } from "../cache/cache_operations.ts";
import type { CachedTree } from "../cache/cached_places.ts";
import { FetchBuffers } from "../cache/fetch_buffers.ts";
import { openCache } from "../cache/open_cache.ts";
import type { CommandContext } from "../cache/platform/cli.ts";
import type { ConfigInputs } from "../cache/platform/config_reader.ts";
import { CommandError } from "../cache/platform/exit.ts";
import { Libc } from "../cache/platform/libc.ts";
import type { CacheMetrics } from "../cache/telemetry.ts";
import { loadDoctorConfig } from "./doctor/doctor_config.ts";
import { realPath } from "./connect.ts";

/** Largest read of the cache; nothing is read through it here but to be verified. */
const READ_BYTES_MAX = 1024 * 1024;

/** A cache this process has locked, until it is disposed. */
export interface OfflineCache extends AsyncDisposable {
  readonly operations: CacheOperations;
  readonly tree: CachedTree;
  /** Its directory. */
  readonly path: string;
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
  const inputs: ConfigInputs = { env, readTextFile: (path) => Deno.readTextFileSync(path) };
  const libc = Libc.open();
  const { cache: settings, mountPoint, backends, memoryBytes } = loadDoctorConfig(
    file,
    inputs,
    libc.effectiveUid() === 0,
  );
  if (settings === null) {
    throw new CommandError(
      "failed",
      `Cannot open the cache of "${file}": it configures none`,
      "Set cache.path in it, or name another file with --config",
    );
  }
  // Opening would make one.
  if (!existsSync(`${settings.path}/index.sqlite`)) {
    throw new CommandError(
      "failed",
      `Cannot open cache "${settings.path}": there is no cache yet`,
      "Mount it once, or name another configuration with --config",
    );
  }
  const open = await openCache(settings, {
    libc,
    clock,
    logger,
    metrics: UNCOUNTED,
    buffers: new FetchBuffers(memoryBytes),
    mountPoint: `warpdrive ctl ${name}`,
    readBytesMax: READ_BYTES_MAX,
  });
  return {
    operations: open.cache.operations,
    tree: { mountPoint: await realPath(mountPoint, clock), backends },
    path: settings.path,
    [Symbol.asyncDispose]: () => open[Symbol.asyncDispose](),
  };
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
