/** Rows as comma-separated values (RFC 4180), for spreadsheets and scripts. */
import { cellOf, type Column } from "./column.ts";
import { plainValue } from "./json.ts";
import { visible } from "./visible.ts";

const LINE_END = "\r\n";
/**
 * What a spreadsheet takes for the start of a formula, which could send what else is in the sheet
 * to whoever named the object. Their full-width forms count too, in some languages.
 */
const FORMULA = /^[=+\-@＝＋－＠']/u;
/** Besides what RFC 4180 wants quoted: what separates fields where a comma is a decimal point. */
const TO_QUOTE = /[",;\s]/u;

/**
 * A line with the keys of `columns`, then one per row; line ends are CRLF. Texts are escaped as in
 * tables, so that one row is one line; one that a spreadsheet would take for a formula gets an
 * apostrophe before it, and so does one that begins with an apostrophe, so that it can be undone.
 */
export function formatCsv<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const lines = [
    columns.map(({ key }) => key),
    ...rows.map((row) => columns.map((column) => csvField(column, row))),
  ];
  return lines.map((fields) => fields.join(",") + LINE_END).join("");
}

function csvField<Row>(column: Column<Row>, row: Row): string {
  const value = plainValue(cellOf(column, row));
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const text = visible(value);
  const harmless = FORMULA.test(text) ? `'${text}` : text;
  return TO_QUOTE.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
