/** How commands that only look get to a cache: by its mount, or at its directory without one. */
import { resolve } from "node:path/posix";
import { z } from "zod";
import type { CommandContext } from "../cache/platform/cli.ts";
import { CommandError } from "../cache/platform/exit.ts";
import type { ControlClient } from "./client.ts";
import {
  connectMount,
  isNoMount,
  MOUNT_FLAGS,
  MOUNT_OPTIONS,
  realPath,
  whereabouts,
} from "./connect.ts";
import {
  type IdleCache,
  type IdleCacheSource,
  lookAtIdleCache,
  sourceOfConfig,
  sourceOfDirectory,
} from "./idle_cache.ts";

/** The options, each for `Parser.option`. */
export const LOOK_OPTIONS = [
  ...MOUNT_OPTIONS,
  ["--cache <dir>", "a cache directory that no mount uses"],
] as const;

/** Values of the options, for the schema of a command's options. */
export const LOOK_FLAGS = { ...MOUNT_FLAGS, cache: z.string().optional() };

/** What of the command line says which cache is meant. */
export interface LookWords {
  readonly config?: string | undefined;
  readonly socket?: string | undefined;
  readonly cache?: string | undefined;
  /** As it was written; null where there is none. */
  readonly path: string | null;
}

/** The two ways to look. Paths are absolute, or `BACKEND:KEY` in a cache named by `--cache`. */
export interface Looks<T> {
  readonly mount: (client: ControlClient, path: string | null) => Promise<T>;
  readonly idle: (cache: IdleCache, path: string | null) => Promise<T>;
}

/**
 * What is seen of the cache that `words` mean. Where no mount runs, the directory that `--config`
 * names is read, and stderr is told.
 *
 * @throws {CommandError | ControlError} when there is neither.
 */
export async function lookAtCache<T>(
  words: LookWords,
  looks: Looks<T>,
  context: CommandContext,
): Promise<T> {
  const { clock, env } = context;
  if (words.cache !== undefined) {
    if (words.config !== undefined || words.socket !== undefined) throw namedTwice(words.cache);
    const source = sourceOfDirectory(resolve(words.cache));
    return await lookIdle(source, words.path, looks, context);
  }
  const path = words.path === null ? null : await realPath(words.path, clock);
  const where = whereabouts(words, path);
  try {
    return await looks.mount(await connectMount(where, context), path);
  } catch (error) {
    if (where.kind !== "config" || !isNoMount(error)) throw error;
    const inputs = { env, readTextFile: (file: string) => Deno.readTextFileSync(file) };
    const source = await sourceOfConfig(where.file, inputs, clock);
    return await lookIdle(source, path, looks, context);
  }
}

async function lookIdle<T>(
  source: IdleCacheSource,
  path: string | null,
  { idle }: Looks<T>,
  { stderr }: CommandContext,
): Promise<T> {
  return await lookAtIdleCache(source, (cache) => {
    stderr.write(`No mount runs: reading the cache in "${source.directory}" itself\n`);
    return idle(cache, path);
  });
}

function namedTwice(cache: string): CommandError {
  return new CommandError(
    "usage",
    `Cannot look at cache "${cache}" with --config or --socket: wanted one of them`,
    "Name the cache once",
  );
}
