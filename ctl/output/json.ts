/** Rows as JSON, for programs: keys and types stay what they are from release to release. */
import { type Cell, cellOf, type Column } from "./column.ts";
import { visibleJson } from "./visible.ts";

/** An array with one object per row. */
export function formatJsonRows<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  return jsonText(rows.map((row) => jsonObject(row, columns)));
}

/** One object. */
export function formatJsonRecord<Row>(row: Row, columns: readonly Column<Row>[]): string {
  return jsonText(jsonObject(row, columns));
}

/** A cell as programs read it: plain bytes and milliseconds, times in ISO 8601. */
export function plainValue({ kind, value }: Cell): string | number | null {
  return kind === "time" && value !== null ? new Date(value).toISOString() : value;
}

/** A row as the object that it is in JSON. */
export function jsonObject<Row>(
  row: Row,
  columns: readonly Column<Row>[],
): Readonly<Record<string, string | number | null>> {
  return Object.fromEntries(
    columns.map((column) => [column.key, plainValue(cellOf(column, row))]),
  );
}

/** `value` as it is printed. */
export function jsonText(value: unknown): string {
  return `${visibleJson(JSON.stringify(value, null, 2))}\n`;
}
