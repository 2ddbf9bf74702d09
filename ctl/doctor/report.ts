/** The doctor's answers in every format. */
import type { Output } from "../../cache/platform/cli.ts";
import { type Finding, formatFindings } from "../../cache/platform/finding.ts";
import type { Column } from "../output/column.ts";
import { type Format, printRows } from "../output/format.ts";
import { visible } from "../output/visible.ts";
import type { Diagnosis } from "./check.ts";

const VERDICTS = { good: "Nothing is wrong", bad: "Something is wrong" };

/** The fields of JSON and CSV. */
const COLUMNS: readonly Column<Diagnosis>[] = [
  { key: "check", header: "CHECK", kind: "state", value: ({ check }) => check },
  { key: "subject", header: "SUBJECT", kind: "text", value: ({ finding }) => finding.subject },
  { key: "state", header: "STATE", kind: "state", value: ({ finding }) => finding.state },
  { key: "found", header: "FOUND", kind: "text", value: ({ finding }) => finding.detail },
  { key: "remedy", header: "REMEDY", kind: "text", value: ({ finding }) => finding.remedy },
];

/** Prints `diagnoses`; the table for people is that of `mount --check`, with room for advice. */
export function printDiagnoses(
  diagnoses: readonly Diagnosis[],
  format: Format,
  stdout: Output,
): void {
  if (format === "table") {
    stdout.write(formatFindings(diagnoses.map(({ finding }) => printable(finding)), VERDICTS));
  } else {
    printRows(diagnoses, COLUMNS, format, stdout);
  }
}

/** Findings quote paths, keys and what servers say. */
function printable({ state, subject, detail, remedy }: Finding): Finding {
  return {
    state,
    subject: visible(subject),
    detail: visible(detail),
    remedy: remedy === null ? null : visible(remedy),
  };
}
