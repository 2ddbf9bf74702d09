/** What the doctor asks, one question each. */
import type { Finding } from "../../cache/platform/finding.ts";

/** One question. */
export interface Check {
  /** Its name in JSON and CSV, the same for ever. */
  readonly name: string;
  /** What it looks at, for people. */
  readonly subject: string;
  /** Longest wait for its answer. */
  readonly deadlineMs: number;
  /**
   * The answer; what it made on the way is removed again, also when `signal` aborts. What it
   * rejects with is shown as a failure.
   */
  run(signal: AbortSignal): Promise<Finding>;
}

/** An answer, and the question. */
export interface Diagnosis {
  readonly check: string;
  readonly finding: Finding;
}

/** Longest wait for what is asked of this machine alone. */
export const LOCAL_DEADLINE_MS = 5_000;
/** Longest wait for what is asked of others. */
export const NETWORK_DEADLINE_MS = 10_000;
