/** What commands print: rows of typed columns, described once and the same in every format. */

/**
 * What a column holds, which decides how each format shows it. Null is "not known" or "none": a
 * dash in tables, `null` in JSON, an empty field in CSV.
 *
 * | kind       | value                         | table                  | JSON and CSV        |
 * | ---------- | ----------------------------- | ---------------------- | ------------------- |
 * | `text`     | text of anybody               | escaped, may be cut    | the text            |
 * | `state`    | a word of ours                | as it is               | as it is            |
 * | `bytes`    | bytes                         | `1.5 GiB`              | bytes               |
 * | `count`    | a whole number                | `26,163`               | the number          |
 * | `id`       | a number that names something | `26163`                | the number          |
 * | `percent`  | 0 to 100                      | `97.5%`                | the number          |
 * | `time`     | milliseconds since the epoch  | `2026-11-22 19:35:37Z` | ISO 8601, with `Z`  |
 * | `duration` | milliseconds                  | `1.5s`                 | milliseconds        |
 */
export type ColumnKind = TextKind | NumberKind;

type TextKind = "text" | "state";
type NumberKind = "bytes" | "count" | "id" | "percent" | "time" | "duration";

interface Named {
  /** Name of the field in JSON and CSV: snake_case, the unit last, the same for ever. */
  readonly key: string;
  /** Head of the column in tables. */
  readonly header: string;
}

/** A column of rows of type `Row`. */
export type Column<Row> =
  | Named & { readonly kind: TextKind; readonly value: (row: Row) => string | null }
  | Named & { readonly kind: NumberKind; readonly value: (row: Row) => number | null };

/** What one row has in one column. */
export type Cell =
  | { readonly kind: TextKind; readonly value: string | null }
  | { readonly kind: NumberKind; readonly value: number | null };

/** The cell of `row` in `column`. */
export function cellOf<Row>(column: Column<Row>, row: Row): Cell {
  switch (column.kind) {
    case "text":
    case "state":
      return { kind: column.kind, value: column.value(row) };
    case "bytes":
    case "count":
    case "id":
    case "percent":
    case "time":
    case "duration":
      return { kind: column.kind, value: column.value(row) };
  }
}
