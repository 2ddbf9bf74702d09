/** Finds the mount that a directory lies on, by the attribute that only roots of mounts have. */
import { dirname, join, relative } from "node:path/posix";
import type { Clock } from "../cache/platform/clock.ts";
import type { Libc } from "../cache/platform/libc.ts";
import { within } from "../cache/platform/within.ts";
import { SOCKET_ATTRIBUTE } from "../ctl/api_sockets.ts";

/** Longest wait for a file system to answer. */
const ANSWER_MS_MAX = 5_000;

/** Where a directory lies on a WarpDrive mount. */
export interface PlanPlace {
  /** Root of the mount. */
  readonly mount: string;
  /** Path of its user socket. */
  readonly socket: string;
  /** The directory below the mount, as the mount knows it: links followed. */
  readonly below: string;
}

/** What finding takes. */
export interface PlaceDeps {
  readonly libc: Pick<Libc, "attributeLater">;
  readonly clock: Clock;
}

/**
 * Where `directory`, which exists, lies; null when that is no WarpDrive mount.
 *
 * @throws {Error} when a file system does not answer.
 */
export async function planPlaceOf(
  directory: string,
  { libc, clock }: PlaceDeps,
): Promise<PlanPlace | null> {
  const answer = <T>(asked: Promise<T>) =>
    within(
      asked,
      ANSWER_MS_MAX,
      clock,
      () =>
        new Error(`Look for the mount of "${directory}": no answer in ${ANSWER_MS_MAX / 1_000}s`),
    );
  const real = await answer(Deno.realPath(directory));
  for (let mount = real;; mount = dirname(mount)) {
    const value = await answer(libc.attributeLater(mount, SOCKET_ATTRIBUTE));
    if (value !== null) {
      const socket = new TextDecoder().decode(value);
      return { mount, socket, below: relative(mount, real) };
    }
    if (mount === "/") return null;
  }
}

/** A file below the directory, as a plan names it: relative to the mount, wherever that is seen. */
export function planned(place: PlanPlace, name: string): string {
  return join(place.below, name);
}
