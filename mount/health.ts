/**
 * Named checks of what the mount needs, run together and each with a deadline.
 *
 * A check that hangs (a stat of a dead mount occupies a thread in the kernel) is never started a
 * second time: until it settles, every report says that it is still waiting.
 */
import type { BackendHealth } from "../cache/backend/guard/health.ts";
import type { CacheHealth } from "../cache/disk/cache_health.ts";
import type { Clock } from "../cache/platform/clock.ts";
import { describeError } from "../cache/platform/log.ts";
import { formatDuration } from "../cache/platform/units.ts";

/** How one part of the mount is. `degraded` is a backend that is being left alone and probed. */
export type CheckStatus = "ok" | "degraded" | "failed";

/** What a check found out; `detail` is for people. */
export interface CheckOutcome {
  readonly status: CheckStatus;
  readonly detail: string;
}

/** Looks at one part of the mount; a rejection counts as `failed`. */
export type Check = (signal: AbortSignal) => Promise<CheckOutcome>;

/** A check's outcome and how long it took. */
export interface CheckReport extends CheckOutcome {
  readonly latencyMs: number;
}

/** All checks together: `ok` only when each of them is. */
export interface HealthReport {
  readonly status: "ok" | "failed";
  readonly checks: Readonly<Record<string, CheckReport>>;
}

/** Runs checks on demand. */
export class HealthMonitor {
  readonly #checks: ReadonlyMap<string, Check>;
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  readonly #running = new Map<string, Run>();

  /** @param timeoutMs Longest wait for one check. */
  constructor(checks: ReadonlyMap<string, Check>, timeoutMs: number, clock: Clock) {
    this.#checks = checks;
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
  }

  /** Runs every check; rejects only when `signal` aborts. */
  async report(signal: AbortSignal): Promise<HealthReport> {
    const reports = await Promise.all(
      [...this.#checks].map(async ([name, check]) =>
        [name, await this.#one(name, check, signal)] as const
      ),
    );
    const well = reports.every(([, { status }]) => status === "ok");
    return { status: well ? "ok" : "failed", checks: Object.fromEntries(reports) };
  }

  async #one(name: string, check: Check, signal: AbortSignal): Promise<CheckReport> {
    const startedMs = this.#clock.monotonicMs();
    const run = this.#running.get(name) ?? this.#start(name, check);
    const settled = new AbortController();
    const waiting = AbortSignal.any([signal, settled.signal]);
    const expired = this.#clock.sleep(this.#timeoutMs, waiting).then((): CheckOutcome => {
      const reason = new Error(`No answer within ${formatDuration(this.#timeoutMs)}`);
      run.deadline.abort(reason);
      return { status: "failed", detail: reason.message };
    });
    try {
      const outcome = await Promise.race([run.outcome, expired]);
      return { ...outcome, latencyMs: this.#clock.monotonicMs() - startedMs };
    } finally {
      settled.abort();
      // Only the abort one line above, or the one of the caller, which the race has reported.
      await expired.catch(() => {});
    }
  }

  /** A run belongs to no caller: others may join it while it lasts. */
  #start(name: string, check: Check): Run {
    const deadline = new AbortController();
    const outcome = check(deadline.signal).catch((error: unknown): CheckOutcome => {
      return { status: "failed", detail: describeError(error) };
    }).finally(() => this.#running.delete(name));
    const run = { deadline, outcome };
    this.#running.set(name, run);
    return run;
  }
}

/** A check in progress. */
interface Run {
  /** Aborted when its time is over. */
  readonly deadline: AbortController;
  /** Never rejects; stays pending while a check does not heed its deadline. */
  readonly outcome: Promise<CheckOutcome>;
}

/** A check of a backend: its known state while degraded, else one request to its store. */
export function backendCheck(health: BackendHealth, clock: Clock): Check {
  return async (signal) => {
    const known = health.state;
    if (known.state === "degraded") {
      const sinceMs = Math.max(0, clock.wallMs() - known.sinceMs);
      const detail = `No answer for ${formatDuration(sinceMs)}: ${known.reason}`;
      return { status: "degraded", detail };
    }
    await health.check(signal);
    return { status: "ok", detail: "The store answers" };
  };
}

/** FUSE_SUPER_MAGIC of linux/magic.h: what statfs(2) says of any FUSE mount. */
const FUSE_MAGIC = 0x65735546;

/**
 * A check that the kernel still routes `mountPoint` to this process and gets an answer.
 *
 * @param statfs As of `node:fs/promises`, which waits on a thread of its own. The kernel passes
 * every statfs on, whereas attributes come from its cache after a file system went silent.
 */
export function mountCheck(
  mountPoint: string,
  statfs: (path: string) => Promise<{ readonly type: number }>,
): Check {
  return async () => {
    const { type } = await statfs(mountPoint);
    return type === FUSE_MAGIC
      ? { status: "ok", detail: `"${mountPoint}" answers` }
      : { status: "failed", detail: `"${mountPoint}" is not mounted` };
  };
}

/** A check of the cache: one that is bypassed costs speed, not data. */
export function cacheCheck(health: CacheHealth, clock: Clock): Check {
  return () => {
    const { state } = health;
    if (state.kind === "working") {
      return Promise.resolve({ status: "ok", detail: "What is read is kept" });
    }
    const sinceMs = Math.max(0, clock.wallMs() - state.sinceMs);
    const detail = `Reads go past the cache for ${formatDuration(sinceMs)}: ${state.reason}`;
    return Promise.resolve({ status: "degraded", detail });
  };
}
