/** How far the doctor is, on one line of a terminal that goes away in the end. */
import type { Output } from "../../cache/platform/cli.ts";
import { StatusLine } from "../../cache/platform/status_line.ts";
import type { Check } from "./check.ts";
import type { CheckObserver } from "./run_checks.ts";

/** More names than this would not fit on the line. */
const NAMES_MAX = 2;

/** Shows progress on `stderr` where that is a terminal, and nothing elsewhere. */
export class CheckProgress implements CheckObserver, Disposable {
  readonly #line: StatusLine;
  readonly #total: number;
  readonly #running = new Set<Check>();
  #ended = 0;

  constructor(stderr: Output, total: number) {
    this.#line = new StatusLine(stderr);
    this.#total = total;
  }

  started(check: Check): void {
    this.#running.add(check);
    this.#show();
  }

  ended(check: Check): void {
    this.#running.delete(check);
    this.#ended += 1;
    this.#show();
  }

  [Symbol.dispose](): void {
    this.#line.hide();
  }

  #show(): void {
    const subjects = [...this.#running].slice(0, NAMES_MAX).map(({ subject }) => subject);
    const more = this.#running.size > NAMES_MAX ? ", …" : "";
    const waiting = subjects.length === 0 ? "" : `: ${subjects.join(", ")}${more}`;
    this.#line.show(`${this.#ended} of ${this.#total} checks${waiting}`);
  }
}
