/**
 * Tries again what may succeed the next time, after exponentially growing pauses with full jitter
 * (a random part of the pause, so that clients that failed together do not return together).
 */
import { type Backend, BackendError, type RangeRead } from "../backend.ts";
import { decorate } from "./decorate.ts";
import type { Clock } from "../../platform/clock.ts";

/** How often and how patiently. */
export interface RetryPolicy {
  /** Attempts in all, the first included. */
  readonly attemptsMax: number;
  /** Longest pause before the second attempt; it doubles for each further one. */
  readonly pauseFirstMs: number;
  /** Longest pause of our own choosing. */
  readonly pauseMaxMs: number;
  /** A store that wants to be left alone for longer than this is not waited for. */
  readonly retryAfterMaxMs: number;
  /**
   * How long the caller waits without progress. A pause that ends later is not begun: the caller
   * would hear that nothing moved, and never why.
   */
  readonly quietMaxMs: number;
}

/** Where the pauses come from: `random` gives numbers in [0, 1). */
export interface RetryDeps {
  readonly clock: Clock;
  readonly random: () => number;
}

/**
 * `inner` with attempts that ended `unavailable`, `throttled` or with `timeout` repeated. A read
 * goes on where the last attempt stopped, of the same version, so no byte is fetched twice.
 */
export function retry(inner: Backend, policy: RetryPolicy, deps: RetryDeps): Backend {
  const plain = decorate(
    inner,
    (call) => attempt(policy, deps, call.signal, (onProgress) => call.run(call.signal, onProgress)),
  );
  return {
    ...plain,
    read: (range, signal) => {
      let doneBytes = 0;
      return attempt(policy, deps, signal, (onProgress) => {
        const rest = remainder(range, doneBytes, (filledBytes) => {
          doneBytes = filledBytes;
          onProgress();
        });
        return inner.read(rest, signal);
      });
    },
  };
}

async function attempt<T>(
  policy: RetryPolicy,
  deps: RetryDeps,
  signal: AbortSignal,
  run: (onProgress: () => void) => Promise<T>,
): Promise<T> {
  let movedMs = deps.clock.monotonicMs();
  const onProgress = () => {
    movedMs = deps.clock.monotonicMs();
  };
  for (let tried = 1;; tried += 1) {
    try {
      return await run(onProgress);
    } catch (error) {
      signal.throwIfAborted();
      const pauseMs = tried < policy.attemptsMax
        ? pauseAfter(error, tried, policy, deps.random)
        : null;
      const quietMs = deps.clock.monotonicMs() - movedMs;
      if (pauseMs === null || quietMs + pauseMs >= policy.quietMaxMs) throw error;
      await deps.clock.sleep(pauseMs, signal);
    }
  }
}

/** How long to wait before the attempt that follows `error`; null when there should be none. */
function pauseAfter(
  error: unknown,
  tried: number,
  policy: RetryPolicy,
  random: () => number,
): number | null {
  if (!(error instanceof BackendError) || !isPassing(error)) return null;
  const jitterMs = random() * Math.min(policy.pauseMaxMs, policy.pauseFirstMs * 2 ** (tried - 1));
  if (error.retryAfterMs === null) return jitterMs;
  // Never before the time the store named; the jitter spreads the clients that were told the same.
  return error.retryAfterMs <= policy.retryAfterMaxMs ? error.retryAfterMs + jitterMs : null;
}

/** Whether the same operation may succeed later without anybody doing anything about it. */
export function isPassing(error: BackendError): boolean {
  return error.code === "unavailable" || error.code === "throttled" || error.code === "timeout";
}

function remainder(
  range: RangeRead,
  doneBytes: number,
  onDone: (doneBytes: number) => void,
): RangeRead {
  return {
    path: range.path,
    version: range.version,
    offset: range.offset + doneBytes,
    target: range.target.subarray(doneBytes),
    onFilled: (filledBytes) => {
      onDone(doneBytes + filledBytes);
      range.onFilled(doneBytes + filledBytes);
    },
  };
}
