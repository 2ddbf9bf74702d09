/** How far a warm job is, for people: a bar on a terminal, a line now and then elsewhere. */
import stringWidth from "string-width";
import type { Output } from "../../cache/platform/cli.ts";
import type { Clock } from "../../cache/platform/clock.ts";
import { formatBytes, formatDuration } from "../../cache/platform/units.ts";
import type { WarmStatus } from "../api_warm.ts";
import { StatusLine } from "../../cache/platform/status_line.ts";
import { visible } from "../output/visible.ts";

/** Between two lines where there is no terminal. */
const LINE_MS = 5_000;
const BAR_COLUMNS_MAX = 30;
/** A bar shorter than this shows nothing. */
const BAR_COLUMNS_MIN = 10;

const counts = new Intl.NumberFormat("en-US");

/** `1,234/3,000 files | 1.2 GiB/3.1 GiB | 512.3 MB/s | ETA 4s`; `+`: more is being found. */
export function progressText(status: WarmStatus): string {
  const more = status.listed ? "" : "+";
  const parts = [
    `${counts.format(status.files_done)}/${counts.format(status.files_total)}${more} files`,
    `${formatBytes(status.bytes_done)}/${formatBytes(status.bytes_total)}${more}`,
  ];
  if (status.mode === "warm") parts.push(rateText(status.bytes_per_second));
  if (status.eta_seconds !== null) {
    parts.push(`ETA ${formatDuration(status.eta_seconds * 1_000)}`);
  }
  if (status.files_failed > 0) parts.push(`${counts.format(status.files_failed)} failed`);
  if (status.state === "waiting") parts.push(`waiting: ${visible(status.reason ?? "")}`);
  return parts.join(" | ");
}

/** `bytesPerSecond` for people, in units of 10^6 bytes as networks are measured. */
export function rateText(bytesPerSecond: number): string {
  return `${(bytesPerSecond / 1e6).toFixed(1)} MB/s`;
}

/** The same with a bar before it where it fits into `columns`. */
export function progressBar(status: WarmStatus, columns: number): string {
  const text = progressText(status);
  const part = fraction(status);
  const percent = `${Math.floor(part * 100)}%`.padStart(5);
  // One column stays free: a full line would wrap.
  const room = columns - 1 - stringWidth(text) - "[] 100%  ".length;
  if (room < BAR_COLUMNS_MIN) return cut(text, columns - 1);
  const bar = Math.min(BAR_COLUMNS_MAX, room);
  const filled = Math.floor(part * bar);
  return `[${"#".repeat(filled)}${"-".repeat(bar - filled)}]${percent}  ${text}`;
}

/** Shows progress on `stderr` until disposed. */
export class WarmProgress implements Disposable {
  readonly #stderr: Output;
  readonly #clock: Clock;
  readonly #columns: () => number;
  readonly #line: StatusLine;
  #toldMs: number;

  /** @param columns How wide the terminal is; asked only where there is one. */
  constructor(stderr: Output, clock: Clock, columns: () => number) {
    this.#stderr = stderr;
    this.#clock = clock;
    this.#columns = columns;
    this.#line = new StatusLine(stderr);
    // What is done sooner needs no progress.
    this.#toldMs = clock.monotonicMs();
  }

  show(status: WarmStatus): void {
    if (this.#stderr.isTerminal) return this.#line.show(progressBar(status, this.#columns()));
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#toldMs < LINE_MS) return;
    this.#toldMs = nowMs;
    this.#stderr.write(`${progressText(status)}\n`);
  }

  [Symbol.dispose](): void {
    this.#line[Symbol.dispose]();
  }
}

/** Done of all: by bytes, or by files where those have none. */
function fraction({ bytes_done, bytes_total, files_done, files_total }: WarmStatus): number {
  if (bytes_total > 0) return Math.min(1, bytes_done / bytes_total);
  return files_total > 0 ? files_done / files_total : 0;
}

function cut(text: string, columns: number): string {
  const kept = Array.from(text);
  while (kept.length > 0 && stringWidth(kept.join("")) > columns) kept.pop();
  return kept.join("");
}
