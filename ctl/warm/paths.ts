/** From paths as people name them to paths below the root of the mount that is asked. */
import { dirname, resolve } from "node:path/posix";
import type { Clock } from "../../cache/platform/clock.ts";
import { CommandError } from "../../cache/platform/exit.ts";
import type { Libc } from "../../cache/platform/libc.ts";
import { TextLineStream } from "../../cache/platform/text_lines.ts";
import { WARM_PATHS_PER_CALL } from "../api_warm.ts";
import { realPath } from "../connect.ts";
import { mountRootAbove } from "../find_socket.ts";
import { mountPointAbove } from "../mount_point_above.ts";

/** Of one call, below what the mount takes. */
const LIST_UNITS_MAX = 1024 * 1024;

/** What finding the way of a path below a mount takes. */
export interface MountPathsDeps {
  readonly libc: Pick<Libc, "attributeLater">;
  readonly clock: Clock;
}

/** The paths of one mount. */
export class MountPaths {
  readonly #socket: string;
  readonly #mountPoint: string;
  readonly #deps: MountPathsDeps;
  /** Where its root is for this process: elsewhere in a container, for example. */
  readonly #roots: string[];

  /** Of the mount at `mountPoint`, as it says itself, that is asked by `socket`. */
  constructor(socket: string, mountPoint: string, deps: MountPathsDeps) {
    this.#socket = socket;
    this.#mountPoint = mountPoint;
    this.#deps = deps;
    this.#roots = [mountPoint];
  }

  /**
   * `path` relative to the root of the mount; `.` is the root itself.
   *
   * @throws {CommandError} `usage` when it is below another mount, or none.
   */
  async below(path: string): Promise<string> {
    const written = resolve(path);
    // As it is written where that will do: following its links asks the mount for every name.
    const found = this.#relative(written) ?? await this.#belowOtherRoot(written);
    if (found !== null) return found;
    throw new CommandError(
      "usage",
      `Cannot warm "${path}": it is not below the mount at "${this.#mountPoint}"`,
      "Run it once for each mount",
    );
  }

  async #belowOtherRoot(written: string): Promise<string | null> {
    const { clock } = this.#deps;
    const mountPoint = await mountPointAbove(written);
    const path = mountPoint === null ? await realPath(written, clock) : written;
    const found = this.#relative(path);
    if (found !== null) return found;
    const seen = await mountRootAbove(mountPoint ?? path, this.#deps);
    if (seen === null || seen.directory !== dirname(this.#socket)) return null;
    this.#roots.push(seen.root);
    return this.#relative(path);
  }

  #relative(path: string): string | null {
    for (const root of this.#roots) {
      if (path === root) return ".";
      const prefix = root === "/" ? root : `${root}/`;
      if (path.startsWith(prefix)) return path.slice(prefix.length);
    }
    return null;
  }
}

/** The lines of the file `list`, or of standard input for `-`, without empty ones. */
export async function* listedPaths(list: string, signal: AbortSignal): AsyncGenerator<string> {
  try {
    const bytes = list === "-" ? Deno.stdin.readable : (await Deno.open(list)).readable;
    const texts = bytes.pipeThrough(new TextDecoderStream(), { signal });
    const lines = texts.pipeThrough(new TextLineStream());
    for await (const line of lines) {
      const path = line.replace(/\r$/, "");
      if (path !== "") yield path;
    }
  } catch (cause) {
    signal.throwIfAborted();
    if (!(cause instanceof Error) || !("code" in cause)) throw cause;
    const hint = 'Give a readable file with one path per line, or "-f -" for standard input';
    throw new CommandError("usage", `Cannot read the list "${list}"`, hint, { cause });
  }
}

/** `paths` in parts of what one call takes; `isLast` says that no other part comes. */
export async function* callsOf(
  paths: AsyncIterable<string>,
): AsyncGenerator<{ readonly paths: readonly string[]; readonly isLast: boolean }> {
  let part: string[] = [];
  let units = 0;
  for await (const path of paths) {
    if (part.length >= WARM_PATHS_PER_CALL || units + path.length > LIST_UNITS_MAX) {
      yield { paths: part, isLast: false };
      part = [];
      units = 0;
    }
    part.push(path);
    units += path.length;
  }
  yield { paths: part, isLast: true };
}
