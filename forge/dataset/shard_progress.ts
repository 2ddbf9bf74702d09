/** How far the work on shards is: a line that renews itself on a terminal, else a few lines. */
import type { Output } from "../../cache/platform/cli.ts";
import type { Clock } from "../../cache/platform/clock.ts";
import { StatusLine } from "../../cache/platform/status_line.ts";
import { formatBytes, formatDuration } from "../../cache/platform/units.ts";

const BAR_COLUMNS = 24;
/** Lines that are written where there is no terminal. */
const LINES_MAX = 10;

/** Shows progress on `stderr`. Dispose it to leave nothing on a terminal. */
export class ShardProgress implements Disposable {
  readonly #stderr: Output;
  readonly #line: StatusLine;
  readonly #clock: Clock;
  /** What is done, in the past tense. */
  readonly #verb: string;
  readonly #total: number;
  readonly #begunMs: number;
  #shards = 0;
  #bytes = 0;

  constructor(stderr: Output, clock: Clock, verb: string, total: number) {
    this.#stderr = stderr;
    this.#line = new StatusLine(stderr);
    this.#clock = clock;
    this.#verb = verb;
    this.#total = total;
    this.#begunMs = clock.monotonicMs();
    if (stderr.isTerminal) this.#show();
  }

  /** One more shard, of `bytes`, is done. */
  add(bytes: number): void {
    const before = this.#step();
    this.#shards += 1;
    this.#bytes += bytes;
    if (this.#stderr.isTerminal || this.#step() > before) this.#show();
  }

  /** Takes the line of a terminal away, so that other output finds it empty. */
  hide(): void {
    this.#line.hide();
  }

  [Symbol.dispose](): void {
    this.hide();
  }

  /** The line that is due, of {@linkcode LINES_MAX}. */
  #step(): number {
    return Math.floor(this.#shards * LINES_MAX / this.#total);
  }

  #show(): void {
    const seconds = (this.#clock.monotonicMs() - this.#begunMs) / 1_000;
    const speed = seconds > 0 ? `, ${formatBytes(this.#bytes / seconds)}/s` : "";
    const done = `${this.#verb} ${this.#shards} of ${this.#total} shards, ` +
      `${formatBytes(this.#bytes)}${speed}${this.#left(seconds)}`;
    if (!this.#stderr.isTerminal) {
      this.#stderr.write(`${done}\n`);
      return;
    }
    const filled = Math.round(BAR_COLUMNS * this.#shards / this.#total);
    const bar = "#".repeat(filled) + "-".repeat(BAR_COLUMNS - filled);
    this.#line.show(`[${bar}] ${done}`);
  }

  #left(seconds: number): string {
    if (this.#shards === 0 || this.#shards === this.#total) return "";
    const left = Math.ceil(seconds * (this.#total - this.#shards) / this.#shards);
    return `, ${formatDuration(left * 1_000)} left`;
  }
}
