/** Runs checks side by side, none of them longer than its deadline. */
import { abortable, AbortScope } from "../../cache/backend/abort_scope.ts";
import type { Clock } from "../../cache/platform/clock.ts";
import { hintOf } from "../../cache/platform/exit.ts";
import { bad, type Finding } from "../../cache/platform/finding.ts";
import { Semaphore } from "../../cache/platform/limit.ts";
import { describeError } from "../../cache/platform/log.ts";
import { formatDuration } from "../../cache/platform/units.ts";
import { within } from "../../cache/platform/within.ts";
import type { Check, Diagnosis } from "./check.ts";

/** Checks at once: most of them wait for somebody. */
const CHECKS_MAX = 16;
/** How long a check that was given up may take to remove what it made. */
const CLEANUP_MS_MAX = 2_000;

/** Is told how far the checks are. */
export interface CheckObserver {
  started(check: Check): void;
  ended(check: Check): void;
}

/** What a check that takes too long rejects with. */
class CheckLate extends Error {
  override readonly name = "CheckLate";
}

/**
 * The answers to `checks`, in their order. Rejects with the signal's reason when that aborts, after
 * the checks have cleaned up.
 */
export async function runChecks(
  checks: readonly Check[],
  clock: Clock,
  observer: CheckObserver,
  signal: AbortSignal,
): Promise<readonly Diagnosis[]> {
  const turns = new Semaphore("checks", CHECKS_MAX, checks.length);
  const runs = await Promise.allSettled(checks.map(async (check) => {
    using _turn = await turns.acquire(signal);
    signal.throwIfAborted();
    observer.started(check);
    try {
      return { check: check.name, finding: await runCheck(check, clock, signal) };
    } finally {
      observer.ended(check);
    }
  }));
  signal.throwIfAborted();
  return runs.map((run) => {
    if (run.status === "rejected") throw run.reason;
    return run.value;
  });
}

async function runCheck(check: Check, clock: Clock, signal: AbortSignal): Promise<Finding> {
  using scope = new AbortScope(signal);
  const answer = check.run(scope.signal);
  const late = () => new CheckLate(`No answer within ${formatDuration(check.deadlineMs)}`);
  try {
    return await within(abortable(answer, signal), check.deadlineMs, clock, late);
  } catch (error) {
    scope.abort(error);
    await cleanedUp(answer, clock);
    signal.throwIfAborted();
    if (error instanceof CheckLate) {
      return bad(check.subject, error.message, "Find out what it waits for: a disk or a network");
    }
    return bad(check.subject, describeError(error), hintOf(error) ?? "Correct that, and ask again");
  }
}

/** Waits, within bounds, until a check that was told to end has ended. */
async function cleanedUp(answer: Promise<Finding>, clock: Clock): Promise<void> {
  const ended = answer.then(() => {}, () => {});
  const stuck = () => new CheckLate("No end of what was given up");
  await within(ended, CLEANUP_MS_MAX, clock, stuck).catch(() => {
    // A system call that hangs ends with the process.
  });
}
