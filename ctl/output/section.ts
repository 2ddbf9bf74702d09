/** Tables that are parts of one report, each with columns of its own. */
import type { Column } from "./column.ts";
import { jsonObject } from "./json.ts";
import { formatRecord, formatTable } from "./table.ts";

/** One table of a report. */
export interface Section {
  /** Its name in JSON and CSV. */
  readonly key: string;
  /** Above it in text. */
  readonly title: string;
  /** As people read it; `width` as in `formatTable`. */
  readonly text: (width: number | null) => string;
  readonly json: unknown;
  readonly fields: readonly Field[];
}

/** One value of a report, by itself. */
export interface Field {
  readonly section: string;
  /** What its row begins with; null in a section of one row. */
  readonly item: string | null;
  readonly field: string;
  readonly value: string | null;
}

/** Columns of a report in CSV, where all tables have to have the same ones. */
export const FIELD_COLUMNS: readonly Column<Field>[] = [
  { key: "section", header: "SECTION", kind: "state", value: ({ section }) => section },
  { key: "item", header: "ITEM", kind: "text", value: ({ item }) => item },
  { key: "field", header: "FIELD", kind: "state", value: ({ field }) => field },
  { key: "value", header: "VALUE", kind: "text", value: ({ value }) => value },
];

/** What is known of one thing, a line per field; null where there is no such thing. */
export function recordSection<Row>(
  key: string,
  title: string,
  row: Row | null,
  columns: readonly Column<Row>[],
): Section {
  return {
    key,
    title,
    text: () => row === null ? "none\n" : formatRecord(row, columns),
    json: row === null ? null : jsonObject(row, columns),
    fields: row === null ? [] : fieldsOf(key, null, row, columns),
  };
}

/** Rows, told apart by their first column. */
export function rowsSection<Row>(
  key: string,
  title: string,
  rows: readonly Row[],
  columns: readonly Column<Row>[],
): Section {
  const [first] = columns;
  return {
    key,
    title,
    text: (width) => rows.length === 0 ? "none\n" : formatTable(rows, columns, width),
    json: rows.map((row) => jsonObject(row, columns)),
    fields: rows.flatMap((row) => {
      const item = first === undefined ? null : String(jsonObject(row, [first])[first.key]);
      return fieldsOf(key, item, row, columns);
    }),
  };
}

/** Rows with too many fields for a line: in text, one record for each. */
export function recordsSection<Row>(
  key: string,
  title: string,
  rows: readonly Row[],
  columns: readonly Column<Row>[],
): Section {
  const records = rows.map((row) => formatRecord(row, columns));
  return {
    ...rowsSection(key, title, rows, columns),
    text: () => records.length === 0 ? "none\n" : records.join("\n"),
  };
}

/** The sections below their titles, a line between them. */
export function formatSections(sections: readonly Section[], width: number | null): string {
  return sections.map(({ title, text }) => `${title}\n${text(width)}`).join("\n");
}

function fieldsOf<Row>(
  section: string,
  item: string | null,
  row: Row,
  columns: readonly Column<Row>[],
): readonly Field[] {
  return Object.entries(jsonObject(row, columns)).map(([field, value]) => ({
    section,
    item,
    field,
    value: value === null ? null : String(value),
  }));
}
