/** Results added up over suites and steps. */

/** How many tests and steps ended in which way. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly ignored: number;
}

export const NOTHING: Tally = { passed: 0, failed: 0, ignored: 0 };

/** Both together. */
export function add(a: Tally, b: Tally): Tally {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    ignored: a.ignored + b.ignored,
  };
}

/**
 * What a run of `deno test` reports in its last summary line. A run that failed without counting a
 * failure (a crash, a leaked error, a module that does not load) counts as one.
 *
 * @param output Everything it printed.
 */
export function tallyOf(output: string, succeeded: boolean): Tally {
  const summaries = output.matchAll(
    /^(?:ok|FAILED) \| (\d+) passed(?: \([^)]*\))? \| (\d+) failed(?: \([^)]*\))?([^\n]*)/gm,
  );
  const summary = [...summaries].at(-1);
  const failed = Number(summary?.[2] ?? 0);
  return {
    passed: Number(summary?.[1] ?? 0),
    failed: succeeded ? failed : Math.max(failed, 1),
    ignored: Number(/\| (\d+) ignored/.exec(summary?.[3] ?? "")?.[1] ?? 0),
  };
}
