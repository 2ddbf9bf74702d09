/** One line of a terminal that changes while something goes on, and is gone in the end. */
import type { Output } from "./cli.ts";

const CLEAR_LINE = "\r\x1b[K";

/** Shows on `stderr` where that is a terminal, and nothing elsewhere. */
export class StatusLine implements Disposable {
  readonly #stderr: Output;

  constructor(stderr: Output) {
    this.#stderr = stderr;
  }

  show(text: string): void {
    if (this.#stderr.isTerminal) this.#stderr.write(`${CLEAR_LINE}${text}`);
  }

  /** Takes the line away, so that other output finds it empty. */
  hide(): void {
    if (this.#stderr.isTerminal) this.#stderr.write(CLEAR_LINE);
  }

  [Symbol.dispose](): void {
    this.hide();
  }
}
