/** Mounts of an origin with a cache of their own. */
import { type Mount, type MountDeps, saysReady, serve } from "./mounts.ts";
import type { RunningOrigin } from "./origin_process.ts";

/** How a cache is set up. Sizes in bytes. */
export interface CacheSetup {
  readonly sizeBytesMax: number;
  /** `cache.memory`. */
  readonly memoryBytes: number;
  readonly passthrough: boolean;
}

/** A mount whose files are the blobs of an origin. */
export interface CacheMount extends Mount {
  /** Directory in which the cache keeps its data files. */
  readonly dataPath: string;
}

const KEY_VARIABLE = "BENCH_ORIGIN_KEY";
/** The origin takes any key; ours signs as it would for a store that does not. */
const KEY = btoa("a key that opens nothing, as long as one that does: 64 bytes....");

/** Mounts what `origin` serves, with an empty cache. */
export async function mountCache(
  program: readonly string[],
  origin: Pick<RunningOrigin, "backend">,
  setup: CacheSetup,
  deps: MountDeps,
): Promise<CacheMount> {
  const place = await Deno.makeTempDir({ dir: deps.directory, prefix: "cache-" });
  const path = `${place}/mnt`;
  const cache = `${place}/cache`;
  for (const directory of [path, cache]) await Deno.mkdir(directory);
  const config = `${place}/config.yaml`;
  await Deno.writeTextFile(
    config,
    JSON.stringify({
      mount_point: path,
      metrics: { enabled: false },
      fuse: { passthrough: setup.passthrough },
      cache: {
        path: cache,
        max_size: `${setup.sizeBytesMax}`,
        memory: `${setup.memoryBytes}`,
      },
      backends: [{
        name: "data",
        type: "azureblob",
        config: origin.backend,
        auth: { method: "static", account_key_env: KEY_VARIABLE },
      }],
    }),
  );
  const command = [...program, "mount", "--config", config];
  const mount = await serve(command, path, saysReady, deps, { [KEY_VARIABLE]: KEY });
  return {
    ...mount,
    path: `${path}/data`,
    dataPath: `${cache}/data`,
    async [Symbol.asyncDispose]() {
      await mount[Symbol.asyncDispose]();
      await Deno.remove(place, { recursive: true });
    },
  };
}
