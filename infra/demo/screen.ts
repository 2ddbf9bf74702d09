/** What the demo shows: headings, explanations, tables. Plain text, for a terminal or a file. */

const COLUMNS = 88;

/** Where lines go. */
export class Screen {
  readonly #write: (line: string) => void;
  #steps = 0;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  /** Begins the next step, numbered. */
  step(title: string): void {
    this.#steps += 1;
    this.#write("");
    this.#write(`${this.#steps}. ${title}`);
  }

  /** A paragraph below the step's title, wrapped. */
  say(text: string): void {
    for (const line of wrap(text, COLUMNS - 3)) this.#write(`   ${line}`);
  }

  /** Lines as they are: commands, file contents, trees. */
  show(lines: readonly string[]): void {
    for (const line of lines) this.#write(`     ${line}`.trimEnd());
  }

  /** Rows of cells; the first row names the columns, the first column is text, the rest numbers. */
  table(rows: readonly (readonly string[])[]): void {
    this.show(layTable(rows));
  }
}

/** `text` in lines of at most `columns`, broken at spaces. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** `rows` as aligned lines: the first column to the left, the others to the right. */
export function layTable(rows: readonly (readonly string[])[]): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from(
    { length: columns },
    (_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  return rows.map((row) =>
    row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return column === 0 ? cell.padEnd(width) : cell.padStart(width);
    }).join("  ").trimEnd()
  );
}
