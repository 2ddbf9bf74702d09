/** What a look at the machine found (`mount --check`, `ctl doctor`), and how people read it. */

/** How much a finding matters. `skipped`: not looked at, and `detail` says why. */
export const FINDING_STATES = ["ok", "warn", "fail", "skipped"] as const;
export type FindingState = (typeof FINDING_STATES)[number];

/** One line of a report. */
export interface Finding {
  readonly state: FindingState;
  /** What was looked at, in a few words. */
  readonly subject: string;
  readonly detail: string;
  /** What to run or change next; null where all is well. */
  readonly remedy: string | null;
}

/** A finding without a remedy, because nothing needs one. */
export function good(subject: string, detail: string): Finding {
  return { state: "ok", subject, detail, remedy: null };
}

/** A finding the mount can live with. */
export function doubtful(subject: string, detail: string, remedy: string): Finding {
  return { state: "warn", subject, detail, remedy };
}

/** A finding the mount cannot live with. */
export function bad(subject: string, detail: string, remedy: string): Finding {
  return { state: "fail", subject, detail, remedy };
}

/** No finding, and why. */
export function skipped(subject: string, reason: string): Finding {
  return { state: "skipped", subject, detail: reason, remedy: null };
}

/** Whether nothing failed. */
export function nothingFailed(findings: readonly Finding[]): boolean {
  return findings.every(({ state }) => state !== "fail");
}

/** What a report says in the end: when nothing failed, and when something did. */
export interface Verdicts {
  readonly good: string;
  readonly bad: string;
}

const STATE_TEXT: Readonly<Record<FindingState, string>> = {
  ok: "ok",
  warn: "warn",
  fail: "FAIL",
  skipped: "skip",
};

/** The findings as aligned lines, with what follows from them on the last one. */
export function formatFindings(findings: readonly Finding[], verdicts: Verdicts): string {
  const width = Math.max(0, ...findings.map(({ subject }) => [...subject].length));
  const lines = findings.flatMap(({ state, subject, detail, remedy }) => {
    const line = `${STATE_TEXT[state].padEnd(4)}  ${subject.padEnd(width)}  ${detail}`;
    return remedy === null ? [line] : [line, `${" ".repeat(width + 8)}${remedy}`];
  });
  const fails = findings.filter(({ state }) => state === "fail").length;
  const warnings = findings.filter(({ state }) => state === "warn").length;
  const counts = `${plural(fails, "failure")}, ${plural(warnings, "warning")}`;
  return [...lines, "", `${fails > 0 ? verdicts.bad : verdicts.good}: ${counts}`, ""].join("\n");
}

function plural(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count === 0 ? "no" : count} ${noun}s`;
}
