/** Machines that the program is compiled for. */
import { parseArgs } from "node:util";

/** Targets as `deno compile --target` names them. */
export const TARGETS = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"] as const;

/** A machine. */
export type Target = typeof TARGETS[number];

/** Where a build goes: what is compiled for this machine needs no folder of its own. */
export interface Wanted {
  readonly target: Target;
  /** Below the repository. */
  readonly directory: string;
}

/**
 * What `deno task build [--target TARGET]` is asked for.
 *
 * @param own Target of the machine that builds.
 * @throws {Error} for another target, another flag, or a machine that is none of them.
 */
export function wantedTarget(args: readonly string[], own: string): Wanted {
  const { values } = parseArgs({ args: [...args], options: { target: { type: "string" } } });
  const name = values.target ?? own;
  const target = TARGETS.find((known) => known === name);
  if (target === undefined) {
    throw new Error(`Build for "${name}": no such target, wanted ${TARGETS.join(" or ")}`);
  }
  return { target, directory: values.target === undefined ? "dist" : `dist/${target}` };
}
