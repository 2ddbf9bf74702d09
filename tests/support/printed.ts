/** What commands print, as text. */
import type { Output } from "../../cache/platform/cli.ts";
import type { Column } from "../../ctl/output/column.ts";
import { type Format, printRows } from "../../ctl/output/format.ts";

/** What `print` writes to a stdout that is no terminal. */
export function printed(print: (stdout: Output) => void): string {
  const texts: string[] = [];
  print({ isTerminal: false, write: (text) => void texts.push(text) });
  return texts.join("");
}

/** `rows` in a format; lines of CSV end as all others, to be read in a test. */
export function printedRows<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  format: Format,
): string {
  return printed((stdout) => printRows(rows, columns, format, stdout)).replaceAll("\r\n", "\n");
}
