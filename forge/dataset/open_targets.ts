/** From what `--out` says to places to write to. */
import { join, resolve } from "node:path/posix";
import type { CommandContext } from "../../cache/platform/cli.ts";
import { DirectoryTarget } from "./directory_target.ts";
import { wrongFlags } from "./flag_values.ts";
import type { ShardTarget } from "./shard_target.ts";

/** Places, closed together. */
export interface OpenTargets extends AsyncDisposable {
  /** In the order they were named; at least one. */
  readonly targets: readonly ShardTarget[];
}

/**
 * Opens the directories and URLs in `outs`; shards go to `prefix` below each.
 *
 * @throws {CommandError} `usage` when there is none, one twice, or a URL is no good.
 */
export async function openTargets(
  program: string,
  outs: readonly string[],
  prefix: string,
  context: CommandContext,
): Promise<OpenTargets> {
  if (outs.length === 0) {
    throw wrongFlags(program, "no place to write to is given, wanted --out DIRECTORY or --out URL");
  }
  await using opened = new AsyncDisposableStack();
  const targets: ShardTarget[] = [];
  for (const out of outs) {
    const target = opened.use(await openTarget(out, prefix, context));
    if (targets.some(({ place }) => place === target.place)) {
      throw wrongFlags(program, `"${target.place}" is given twice, wanted different places`);
    }
    targets.push(target);
  }
  const owned = opened.move();
  return { targets, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function openTarget(
  out: string,
  prefix: string,
  context: CommandContext,
): Promise<ShardTarget> {
  if (!out.includes("://") && !out.startsWith("file:")) {
    return new DirectoryTarget(join(resolve(out), prefix));
  }
  // Stores, and the way to name them, are loaded only when one is written to.
  const { openUrlTarget } = await import("./backend_target.ts");
  return await openUrlTarget(out, prefix, context);
}
