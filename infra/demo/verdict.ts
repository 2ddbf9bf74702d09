/** How the demo ends: what it says last, and its exit code. */
import { EXIT, type ExitCode } from "../../cache/platform/exit.ts";

/** How a mount went away. */
export interface MountEnd {
  /** Exit code of its process. */
  readonly code: number;
  /** Whether it was still mounted when its process was gone. */
  readonly wasLeft: boolean;
}

/** What came of a run of the demo. */
export interface Verdict {
  readonly code: ExitCode;
  /** What became of the mount. */
  readonly away: string;
  /** The last line. */
  readonly last: string;
}

/** The verdict over capabilities, each of which was `shown` or not, and the end of the mount. */
export function verdictOf(
  shown: readonly boolean[],
  { code, wasLeft }: MountEnd,
  tookMs: number,
): Verdict {
  const good = shown.filter((holds) => holds).length;
  const isGone = code === EXIT.done && !wasLeft;
  const took = `in ${(tookMs / 1_000).toFixed(1)} s`;
  const badEnd = wasLeft ? ", and was left mounted" : ", wanted 0";
  const away = isGone
    ? "Unmounted; both regions are stopped, and every file is removed."
    : `FAILED: the mount ended with exit code ${code}${badEnd}.`;
  if (isGone && good > 0 && good === shown.length) {
    return { code: EXIT.done, away, last: `All ${good} capabilities shown, ${took}.` };
  }
  const but = isGone ? "" : ", but the mount did not end well";
  const last = `The demo FAILED: ${good} of ${shown.length} capabilities shown${but}, ${took}.`;
  return { code: EXIT.failed, away, last };
}
