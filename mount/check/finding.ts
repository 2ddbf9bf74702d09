/** What `warpdrive mount --check` found, and how it is printed. */

/** How much a finding matters: `fail` means that the mount would not work. */
export type FindingState = "ok" | "warn" | "fail";

/** One line of the report. */
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

/** Whether the mount would work. */
export function wouldMount(findings: readonly Finding[]): boolean {
  return findings.every(({ state }) => state !== "fail");
}

const STATE_TEXT: Readonly<Record<FindingState, string>> = { ok: "ok", warn: "warn", fail: "FAIL" };

/** The findings as aligned lines, with what follows from them on the last one. */
export function formatFindings(findings: readonly Finding[]): string {
  const width = Math.max(0, ...findings.map(({ subject }) => [...subject].length));
  const lines = findings.flatMap(({ state, subject, detail, remedy }) => {
    const line = `${STATE_TEXT[state].padEnd(4)}  ${subject.padEnd(width)}  ${detail}`;
    return remedy === null ? [line] : [line, `${" ".repeat(width + 8)}${remedy}`];
  });
  const fails = findings.filter(({ state }) => state === "fail").length;
  const warnings = findings.filter(({ state }) => state === "warn").length;
  const counts = `${plural(fails, "failure")}, ${plural(warnings, "warning")}`;
  const verdict = fails > 0 ? "The mount would not work" : "The mount would work";
  return [...lines, "", `${verdict}: ${counts}`, ""].join("\n");
}

function plural(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count === 0 ? "no" : count} ${noun}s`;
}
