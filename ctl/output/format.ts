/** `--format` of every command, and the one place that prints by it. */
import type { Output } from "../../cache/platform/cli.ts";
import { CommandError } from "../../cache/platform/exit.ts";
import type { Column } from "./column.ts";
import { formatCsv } from "./csv.ts";
import { formatJsonRecord, formatJsonRows, jsonText } from "./json.ts";
import { FIELD_COLUMNS, formatSections, type Section } from "./section.ts";
import { formatRecord, formatTable } from "./table.ts";

/** How a command prints: for people, for programs, for spreadsheets. */
export const FORMATS = ["table", "json", "csv"] as const;
export type Format = (typeof FORMATS)[number];

/** The option, for `Parser.option`. */
export const FORMAT_OPTION = ["--format <format>", "table, json or csv", "table"] as const;

/** Reads the value of `--format`. */
export function parseFormat(written: string): Format {
  const format = FORMATS.find((known) => known === written);
  if (format !== undefined) return format;
  throw new CommandError(
    "usage",
    `Cannot print as "${written}": wanted table, json or csv`,
    "Run it again with --format table",
  );
}

/** Prints `rows` on `stdout`; a table is cut to the terminal, and only there. */
export function printRows<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  format: Format,
  stdout: Output,
): void {
  switch (format) {
    case "table":
      return stdout.write(formatTable(rows, columns, terminalColumns(stdout)));
    case "json":
      return stdout.write(formatJsonRows(rows, columns));
    case "csv":
      return stdout.write(formatCsv(rows, columns));
  }
}

/** Prints what is known of one thing: a line per field, one JSON object, or one line of CSV. */
export function printRecord<Row>(
  row: Row,
  columns: readonly Column<Row>[],
  format: Format,
  stdout: Output,
): void {
  switch (format) {
    case "table":
      return stdout.write(formatRecord(row, columns));
    case "json":
      return stdout.write(formatJsonRecord(row, columns));
    case "csv":
      return stdout.write(formatCsv([row], columns));
  }
}

/**
 * Prints several tables: below their titles, as one JSON object by their keys, or as lines of CSV
 * with the table, the row and the field that each value belongs to.
 */
export function printReport(
  sections: readonly Section[],
  format: Format,
  stdout: Output,
): void {
  switch (format) {
    case "table":
      return stdout.write(formatSections(sections, terminalColumns(stdout)));
    case "json":
      return stdout.write(
        jsonText(Object.fromEntries(sections.map(({ key, json }) => [key, json]))),
      );
    case "csv":
      return stdout.write(formatCsv(sections.flatMap(({ fields }) => fields), FIELD_COLUMNS));
  }
}

/** Columns of the terminal behind `output`; null when it is none. */
function terminalColumns(output: Output): number | null {
  return output.isTerminal ? Deno.consoleSize().columns : null;
}
