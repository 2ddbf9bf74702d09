/** Gets to the cache a command line means: by its mount, or by itself where no mount runs. */
import { resolve } from "node:path/posix";
import { type SelectedPath, selectPaths } from "../cache/operations/cached_places.ts";
import type { CommandContext } from "../cache/platform/cli.ts";
import { CommandError } from "../cache/platform/exit.ts";
import { STATUS } from "./api_status.ts";
import type { ControlClient } from "./client.ts";
import { ask, connectMount, isNoMount, realPath, whereabouts } from "./connect.ts";
import { type OfflineCache, openOfflineCache } from "./offline_cache.ts";

/** The cache of a live mount, or one this process has locked. Disposing lets go of it. */
export type ReachedCache = AsyncDisposable & {
  /** Absolute and without links, as mounts know them. */
  readonly paths: readonly string[];
  readonly by:
    | { readonly kind: "mount"; readonly client: ControlClient }
    | { readonly kind: "offline"; readonly cache: OfflineCache };
};

/** What of the command line says which cache is meant. */
export interface CacheWords {
  /** Of the command, after `warpdrive ctl`. */
  readonly name: string;
  readonly config?: string | undefined;
  readonly socket?: string | undefined;
  readonly paths: readonly string[];
}

/**
 * The cache that `words` mean. Without a mount that of `--config` is opened, and stderr is told.
 *
 * @throws {CommandError | ControlError} when there is neither.
 */
export async function reachCache(
  words: CacheWords,
  context: CommandContext,
): Promise<ReachedCache> {
  const { clock, stderr } = context;
  const paths: string[] = [];
  for (const path of words.paths) {
    // While a store does not answer, its mount may not say in time whether there is a link.
    paths.push(await realPath(path, clock).catch(() => resolve(path)));
  }
  const where = whereabouts(words, paths[0] ?? null);
  try {
    const client = await connectMount(where, context);
    await ask(client, STATUS, {}, context);
    const nothing = () => Promise.resolve();
    return { paths, by: { kind: "mount", client }, [Symbol.asyncDispose]: nothing };
  } catch (error) {
    if (where.kind !== "config" || !isNoMount(error)) throw error;
    const cache = await openOfflineCache(where.file, words.name, context);
    stderr.write(`No mount runs: working on the cache in "${cache.path}" itself\n`);
    return {
      paths,
      by: { kind: "offline", cache },
      [Symbol.asyncDispose]: () => cache[Symbol.asyncDispose](),
    };
  }
}

/** `paths` as parts of `cache`, as a mount would find them. */
export function selectOffline(
  paths: readonly string[],
  { tree }: OfflineCache,
): readonly SelectedPath[] {
  const found = selectPaths(paths, tree);
  if (found.kind === "selected") return found.paths;
  throw new CommandError(
    "failed",
    `Cannot find "${found.path}" in the cache: ${found.reason}`,
    `Give paths of cached backends below "${tree.mountPoint}"`,
  );
}
