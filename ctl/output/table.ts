/** Rows as an aligned table for people. */
import stringWidth from "string-width";
import { formatBytes, formatDuration } from "../../cache/platform/units.ts";
import { type Cell, cellOf, type Column, type ColumnKind } from "./column.ts";
import { visible } from "./visible.ts";

const GAP = "  ";
const CUT = "…";
const NOTHING = "-";
/** A name cut further than this says nothing any more. */
const TEXT_COLUMNS_MIN = 16;

const graphemes = new Intl.Segmenter();
const counts = new Intl.NumberFormat("en-US");

/**
 * `rows` under the heads of `columns`, numbers to the right. Where that is wider than `width`, the
 * longest texts lose their middle, as paths differ at their ends; null never cuts. What is no text
 * is never cut.
 */
export function formatTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  width: number | null,
): string {
  const lines = [
    columns.map(({ header }) => header),
    ...rows.map((row) => columns.map((column) => humanCell(cellOf(column, row)))),
  ];
  const natural = columns.map((_, index) => widest(lines, index));
  const widths = width === null ? natural : shrunk(natural, columns, width);
  const rightward = columns.map(({ kind }) => !isWords(kind));
  return lines.map((cells) => `${alignedLine(cells, widths, rightward)}\n`).join("");
}

/** The fields of one row below each other. */
export function formatRecord<Row>(row: Row, columns: readonly Column<Row>[]): string {
  const labels = columns.map(({ header }) => header);
  const width = Math.max(0, ...labels.map((label) => stringWidth(label)));
  return columns.map((column, index) =>
    `${padEnd(labels[index] ?? "", width)}${GAP}${humanCell(cellOf(column, row))}\n`
  ).join("");
}

/** A cell as people read it. */
export function humanCell({ kind, value }: Cell): string {
  if (value === null) return NOTHING;
  switch (kind) {
    case "text":
      return visible(value);
    case "state":
      return value;
    case "bytes":
      return formatBytes(value);
    case "count":
      return counts.format(value);
    case "id":
      return String(value);
    case "percent":
      return `${value.toFixed(1)}%`;
    case "time":
      return `${new Date(value).toISOString().slice(0, 19).replace("T", " ")}Z`;
    case "duration":
      return formatDuration(value);
  }
}

function isWords(kind: ColumnKind): boolean {
  return kind === "text" || kind === "state";
}

function widest(lines: readonly (readonly string[])[], index: number): number {
  return lines.reduce((width, cells) => Math.max(width, stringWidth(cells[index] ?? "")), 0);
}

/** Widths that fit into `width` where cutting texts can make them fit. */
function shrunk<Row>(
  natural: readonly number[],
  columns: readonly Column<Row>[],
  width: number,
): readonly number[] {
  const widths = [...natural];
  const floor = columns.map(({ kind, header }, index) =>
    kind === "text"
      ? Math.min(natural[index] ?? 0, Math.max(stringWidth(header), TEXT_COLUMNS_MIN))
      : natural[index] ?? 0
  );
  const gaps = GAP.length * (widths.length - 1);
  let excess = widths.reduce((sum, each) => sum + each, gaps) - width;
  for (; excess > 0; excess -= 1) {
    const longest = widths.reduce((best, each, index) => {
      const room = each > (floor[index] ?? 0);
      return room && (best < 0 || each > (widths[best] ?? 0)) ? index : best;
    }, -1);
    if (longest < 0) break;
    widths[longest] = (widths[longest] ?? 0) - 1;
  }
  return widths;
}

function alignedLine(
  cells: readonly string[],
  widths: readonly number[],
  rightward: readonly boolean[],
): string {
  const padded = cells.map((cell, index) => {
    const width = widths[index] ?? 0;
    const shown = cutMiddle(cell, width);
    const space = " ".repeat(Math.max(0, width - stringWidth(shown)));
    return rightward[index] === true ? space + shown : shown + space;
  });
  return padded.join(GAP).trimEnd();
}

/** `text` in at most `width` columns; what had to go was in its middle. */
function cutMiddle(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  const parts = Array.from(graphemes.segment(text), ({ segment }) => segment);
  const tailWidth = Math.floor((width - 1) / 2);
  const head = fitting(parts, width - 1 - tailWidth);
  const tail = fitting(parts.toReversed(), tailWidth).toReversed();
  return head.join("") + CUT + tail.join("");
}

/** As many of `parts` from the first one as fit into `width`. */
function fitting(parts: readonly string[], width: number): string[] {
  let used = 0;
  const end = parts.findIndex((part) => {
    used += stringWidth(part);
    return used > width;
  });
  return parts.slice(0, end < 0 ? parts.length : end);
}

function padEnd(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - stringWidth(text)));
}
