/** Wide tables of programs on a narrow screen: no cell is cut, what does not fit goes on below. */

/** Characters of a line that belong to one column. */
interface Column {
  readonly start: number;
  readonly end: number;
}

/** Between two columns there are at least so many blanks in every line. */
const GAP = "  ";

/** `lines`, where tables wider than `columns` are shown in parts, one below the other. */
export function foldTables(lines: readonly string[], columns: number): readonly string[] {
  const shown: string[] = [];
  let block: string[] = [];
  for (const line of lines) {
    if (line === "") {
      shown.push(...folded(block, columns), line);
      block = [];
    } else block.push(line);
  }
  return [...shown, ...folded(block, columns)];
}

/** Lines without an empty one among them: a title at most, and a table. */
function folded(block: readonly string[], width: number): readonly string[] {
  if (block.every((line) => line.length <= width)) return block;
  const titles = block[0]?.includes(GAP) === true ? 0 : 1;
  const table = block.slice(titles);
  const columns = columnsOf(table);
  const keys = columns.slice(0, namingColumns(table, columns));
  const parts: Column[][] = [];
  for (const column of columns.slice(keys.length)) {
    const part = parts.at(-1);
    if (part !== undefined && widthOf([...keys, ...part, column]) <= width) part.push(column);
    else parts.push([column]);
  }
  if (parts.length === 0) return block;
  const laid = parts.map((part) => table.map((line) => cellsOf(line, [...keys, ...part])));
  return [
    ...block.slice(0, titles),
    ...laid.flatMap((part, index) => index > 0 ? ["", ...part] : part),
  ];
}

/** The columns of `table`: what is between blanks that all its lines have. */
function columnsOf(table: readonly string[]): readonly Column[] {
  const length = Math.max(0, ...table.map((line) => line.length));
  const used = Array.from({ length }, (_, at) => table.some((line) => (line[at] ?? " ") !== " "));
  const marks = used.map((isUsed) => isUsed ? "x" : " ").join("");
  return [...marks.matchAll(/x(?: ?x)*/g)].map(({ 0: text, index }) => ({
    start: index,
    end: index + text.length,
  }));
}

/** How many columns, from the first one on, tell all rows apart. */
function namingColumns(table: readonly string[], columns: readonly Column[]): number {
  const isNamed = (count: number) =>
    new Set(table.map((line) => cellsOf(line, columns.slice(0, count)))).size === table.length;
  let count = 1;
  while (count < columns.length && !isNamed(count)) count += 1;
  return count;
}

function widthOf(columns: readonly Column[]): number {
  return columns.reduce((sum, { start, end }) => sum + end - start + GAP.length, -GAP.length);
}

function cellsOf(line: string, columns: readonly Column[]): string {
  const cells = columns.map(({ start, end }) => line.slice(start, end).padEnd(end - start));
  return cells.join(GAP).trimEnd();
}
