/** Finds the shards below the roots of a data set. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path/posix";
import { CommandError } from "../../cache/platform/exit.ts";
import { describeError } from "../../cache/platform/log.ts";

/** The name of a shard; its number, of six digits or more, is the first group. */
export const SHARD_NAME = /^shard-(\d{6,})\.tar$/;

/** One tar archive of samples. */
export interface Shard {
  /** Where to read it. */
  readonly path: string;
  /** Below its root: the same wherever the root is mounted. */
  readonly name: string;
  readonly sizeBytes: number;
}

/** A directory of shards. */
export interface Root {
  /** `a` for the first root on the command line, `b` for the second. */
  readonly label: string;
  readonly path: string;
  /** By name; never empty. */
  readonly shards: readonly Shard[];
}

/**
 * The shards of every root in `paths`.
 *
 * @throws {CommandError} naming every root that cannot be read or holds no shard.
 */
export async function findShards(paths: readonly string[], signal: AbortSignal): Promise<Root[]> {
  const roots: Root[] = [];
  const problems: string[] = [];
  for (const [index, path] of paths.entries()) {
    try {
      const shards = await shardsBelow({ root: path, path: "", above: [] }, signal);
      shards.sort((one, other) => one.name < other.name ? -1 : 1);
      if (shards.length > 0) roots.push({ label: rootLabel(index), path, shards });
      else problems.push(`"${path}" holds no file named shard-NNNNNN.tar`);
    } catch (error) {
      if (signal.aborted) throw error;
      problems.push(`"${path}" cannot be read: ${describeError(error)}`);
    }
  }
  if (problems.length === 0) return roots;
  throw new CommandError(
    "failed",
    `Cannot find shards: ${problems.join("; ")}`,
    'Give directories with shards, or make some with "warpdrive forge dataset make"',
  );
}

/** The name of root number `index`: `a` to `z`, then `root26` and so on. */
export function rootLabel(index: number): string {
  return index < 26 ? String.fromCharCode("a".charCodeAt(0) + index) : `root${index}`;
}

/**
 * What is unusual about how shards lie in two roots: by convention those with even numbers are in
 * the first one, those with odd numbers in the second. Null when all is as usual.
 */
export function parityWarning(roots: readonly Root[]): string | null {
  const [even, odd, third] = roots;
  if (even === undefined || odd === undefined || third !== undefined) return null;
  const strays = [...astray(even, 0), ...astray(odd, 1)];
  if (strays.length === 0) return null;
  const [first] = strays;
  const others = strays.length === 1 ? "" : ` and ${strays.length - 1} more`;
  return `${first}${others}: usually even numbers are in the first root and odd ones in the second`;
}

function astray({ shards }: Root, parity: number): string[] {
  return shards.flatMap(({ name, path }) => {
    const digits = SHARD_NAME.exec(name.slice(name.lastIndexOf("/") + 1))?.[1] ?? "";
    return Number(digits.at(-1)) % 2 === parity ? [] : [path];
  });
}

/** A directory on the walk through a root. */
interface Directory {
  readonly root: string;
  /** Below the root. */
  readonly path: string;
  /** The directories that it was reached through, by device and inode. */
  readonly above: readonly string[];
}

async function shardsBelow(directory: Directory, signal: AbortSignal): Promise<Shard[]> {
  signal.throwIfAborted();
  const { root, path } = directory;
  const { dev, ino } = await stat(join(root, path));
  const own = `${dev}:${ino}`;
  // A link to a directory above would otherwise be walked until the system refuses its length.
  if (directory.above.includes(own)) return [];
  const above = [...directory.above, own];
  const found: Shard[] = [];
  for (const name of await readdir(join(root, path))) {
    const below = join(path, name);
    const isShard = SHARD_NAME.test(name);
    // Links are followed, as a user who keeps shards elsewhere expects.
    const status = await stat(join(root, below)).catch(ignoreUnless(isShard));
    if (status?.isDirectory() === true) {
      for (const shard of await shardsBelow({ root, path: below, above }, signal)) {
        found.push(shard);
      }
    } else if (status?.isFile() === true && isShard) {
      found.push({ path: join(root, below), name: below, sizeBytes: status.size });
    }
  }
  return found;
}

/** What is no shard may be unreadable: a broken link, a directory of somebody else. */
function ignoreUnless(matters: boolean): (error: unknown) => null {
  return (error) => {
    if (matters) throw error;
    return null;
  };
}
