/** What the demo shows: headings, explanations, tables. Plain text where it is not a terminal. */

/** Where it goes. */
export interface Paper {
  readonly write: (line: string) => void;
  /** Whether it shows bold and colours. */
  readonly styled: boolean;
}

const COLUMNS = 88;
const INDENT = "   ";
/** Columns that are left for what is shown as it is. */
export const SHOWN_COLUMNS = COLUMNS - INDENT.length - 2;
const STYLES = { bold: "1", dim: "2", good: "32;1", bad: "31;1" };

/** Writes to a paper. */
export class Screen {
  readonly #paper: Paper;
  #steps = 0;

  constructor(paper: Paper) {
    this.#paper = paper;
  }

  /** Begins the next step, numbered. */
  step(title: string): void {
    this.#steps += 1;
    this.#paper.write("");
    this.#paper.write(this.#styled("bold", `${this.#steps}. ${title}`));
  }

  /** A paragraph, wrapped. */
  say(text: string): void {
    for (const line of wrap(text, COLUMNS - INDENT.length)) this.#paper.write(INDENT + line);
  }

  /** A command line that is about to be run. */
  command(text: string): void {
    this.#paper.write("");
    const [first = "", ...others] = wrap(text, COLUMNS - INDENT.length - 4);
    const lines = [`$ ${first}`, ...others.map((line) => `    ${line}`)];
    lines.forEach((line, index) => {
      const continued = index < lines.length - 1 ? " \\" : "";
      this.#paper.write(INDENT + this.#styled("bold", line + continued));
    });
  }

  /** Lines as they are: outputs, file contents, trees. */
  show(lines: readonly string[]): void {
    for (const line of lines) this.#paper.write(`${INDENT}  ${line}`.trimEnd());
  }

  /** Remarks on what was shown. */
  note(text: string): void {
    for (const line of wrap(text, COLUMNS - INDENT.length)) {
      this.#paper.write(INDENT + this.#styled("dim", line));
    }
  }

  /** Rows of cells; the first row names the columns, the first column is text, the rest numbers. */
  table(rows: readonly (readonly string[])[]): void {
    const [head = "", ...others] = layTable(rows);
    this.#paper.write(`${INDENT}  ${this.#styled("bold", head)}`);
    this.show(others);
  }

  /** Rows of a name and a value each. */
  values(rows: readonly (readonly string[])[]): void {
    this.show(layTable(rows, "left"));
  }

  /** Something that was checked. */
  verdict(holds: boolean, title: string, because: string): void {
    const mark = holds ? this.#styled("good", "[ ok ]") : this.#styled("bad", "[FAILED]");
    this.#paper.write(`${INDENT}${mark} ${this.#styled("bold", title)}`);
    for (const line of wrap(because, COLUMNS - 10)) this.#paper.write(`${" ".repeat(10)}${line}`);
  }

  /** The last word. */
  end(holds: boolean, text: string): void {
    this.#paper.write("");
    this.#paper.write(this.#styled(holds ? "good" : "bad", text));
  }

  #styled(style: keyof typeof STYLES, text: string): string {
    return this.#paper.styled ? `\x1b[${STYLES[style]}m${text}\x1b[0m` : text;
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

/** `rows` as aligned lines: the first column to the left, the others to `side`. */
export function layTable(
  rows: readonly (readonly string[])[],
  side: "left" | "right" = "right",
): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from(
    { length: columns },
    (_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  return rows.map((row) =>
    row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return column === 0 || side === "left" ? cell.padEnd(width) : cell.padStart(width);
    }).join("  ").trimEnd()
  );
}
