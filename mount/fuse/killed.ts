/** Whether a thread is on its way out, from /proc/PID/status. */

/** Bit of SIGKILL (9) in a signal mask; signal 1 is bit 0. */
const SIGKILL_MASK = 1n << 8n;

/**
 * Whether SIGKILL is pending for the thread `pid`, or the thread no longer exists. A pid of 0 is
 * one this namespace cannot see, of which nothing is known.
 */
export function isBeingKilled(pid: number): boolean {
  if (pid === 0) return false;
  try {
    return hasPendingKill(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return true;
    // A thread that dies while it is being read: ESRCH.
    return error instanceof Error && "code" in error && error.code === "ESRCH";
  }
}

/** Whether `status`, the text of /proc/PID/status, shows a pending SIGKILL. */
export function hasPendingKill(status: string): boolean {
  for (const match of status.matchAll(/^(?:SigPnd|ShdPnd):\s*([0-9a-f]+)$/gm)) {
    if ((BigInt(`0x${match[1]}`) & SIGKILL_MASK) !== 0n) return true;
  }
  return false;
}
