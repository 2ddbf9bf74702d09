/** Flags of a command line as values, with everything that is wrong with them said at once. */
import type { z } from "zod";
import { CommandError } from "../../cache/platform/exit.ts";
import { setting } from "../../cache/platform/setting.ts";

/** Sides of an image in pixels. */
export interface Dimensions {
  readonly width: number;
  readonly height: number;
}

const SIDE_MIN = 8;
const SIDE_MAX = 4_096;

/**
 * `options` as `flags` describes them; keys are the long flags in camel case.
 *
 * @param program The words before the flags, for messages.
 * @throws {CommandError} `usage` naming every flag that is no good.
 */
export function readFlags<Flags extends z.ZodObject>(
  program: string,
  flags: Flags,
  options: Readonly<Record<string, unknown>>,
): z.output<Flags> {
  const outcome = flags.safeParse(options);
  if (outcome.success) return outcome.data;
  const problems = outcome.error.issues.map(({ path, message }) => {
    const key = String(path[0]);
    const flag = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return `--${flag} ${JSON.stringify(options[key])}: ${message}`;
  });
  throw wrongFlags(program, problems.join("; "));
}

/** The error about flags of `program`. */
export function wrongFlags(program: string, reason: string): CommandError {
  return new CommandError(
    "usage",
    `Cannot run "warpdrive ${program}": ${reason}`,
    `Run "warpdrive ${program} --help" for its options`,
  );
}

/** Collects the values of a flag that may be given several times. */
export function collected(value: string, earlier: readonly string[] | undefined): string[] {
  return [...earlier ?? [], value];
}

/** The sides of an image: `224` or `640x480`. */
export function dimensions() {
  const wanted = `a side or sides of ${SIDE_MIN} to ${SIDE_MAX} pixels, such as 224 or 640x480`;
  return setting(wanted, (written): Dimensions | null => {
    const match = /^(\d{1,5})(?:x(\d{1,5}))?$/.exec(written);
    if (match === null) return null;
    const width = Number(match[1]);
    const height = Number(match[2] ?? match[1]);
    const usable = (side: number) => side >= SIDE_MIN && side <= SIDE_MAX;
    return usable(width) && usable(height) ? { width, height } : null;
  });
}

/** A directory below a target: relative, without `.` or `..`; may be empty. */
export function prefix() {
  return setting('a path such as "train", without "." or ".."', (written) => {
    const path = written.replace(/^\/+|\/+$/g, "");
    const names = path === "" ? [] : path.split("/");
    const usable = names.every((name) => !["", ".", ".."].includes(name) && !name.includes("\0"));
    return usable ? path : null;
  });
}
