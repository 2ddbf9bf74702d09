/** What `ctl warm` says at the end of a job, and of the jobs of a mount. */
import { CommandError, EXIT, type ExitCode } from "../../cache/platform/exit.ts";
import { formatBytes, formatDuration } from "../../cache/platform/units.ts";
import type { WarmFailure, WarmStatus } from "../api_warm.ts";
import type { Column } from "../output/column.ts";
import { visible } from "../output/visible.ts";
import { rateText } from "./progress.ts";

const counts = new Intl.NumberFormat("en-US");

/** How a job came out. */
export interface WarmReport {
  /** For stdout. */
  readonly text: string;
  readonly outcome:
    | { readonly kind: "code"; readonly code: ExitCode }
    | { readonly kind: "error"; readonly error: CommandError };
}

/** The report of a job that has ended. */
export function reportOf(status: WarmStatus): WarmReport {
  const text = status.mode === "check" ? checkText(status) : warmText(status);
  const error = errorOf(status);
  if (error !== null) return { text, outcome: { kind: "error", error } };
  const isIncomplete = status.mode === "check" && status.files_done < status.files_total;
  const code = isIncomplete ? EXIT.incomplete : EXIT.done;
  return { text, outcome: { kind: "code", code } };
}

/** The files that failed, a line for each that is known by name. */
export function failureLines(failures: readonly WarmFailure[], files: number): string {
  const lines = failures.map(({ path, reason }) => `Failed "${visible(path)}": ${visible(reason)}`);
  const others = files - failures.length;
  if (others > 0) lines.push(`Failed ${counts.format(others)} more`);
  return lines.map((line) => `${line}\n`).join("");
}

/** What a job that was left before its end says: nothing is lost. */
export function leftText(status: WarmStatus | null): string {
  const done = status === null ? "" : ` with ${filesText(status)}, ${bytesText(status)} cached`;
  return `Left${done}. To go on, run it again: what is cached is not fetched again\n`;
}

/** Jobs, as `--list` shows them. */
export const JOB_COLUMNS: readonly Column<WarmStatus>[] = [
  { key: "job", header: "JOB", kind: "state", value: ({ job }) => job },
  { key: "uid", header: "UID", kind: "state", value: ({ uid }) => String(uid) },
  { key: "mode", header: "MODE", kind: "state", value: ({ mode }) => mode },
  { key: "state", header: "STATE", kind: "state", value: ({ state }) => state },
  { key: "path", header: "PATH", kind: "text", value: ({ path }) => path },
  { key: "paths", header: "PATHS", kind: "count", value: ({ paths }) => paths },
  { key: "files_done", header: "FILES", kind: "count", value: ({ files_done }) => files_done },
  { key: "files_total", header: "OF", kind: "count", value: ({ files_total }) => files_total },
  {
    key: "files_failed",
    header: "FAILED",
    kind: "count",
    value: ({ files_failed }) => files_failed,
  },
  { key: "bytes_done", header: "CACHED", kind: "bytes", value: ({ bytes_done }) => bytes_done },
  { key: "bytes_total", header: "OF", kind: "bytes", value: ({ bytes_total }) => bytes_total },
  {
    key: "bytes_fetched",
    header: "FETCHED",
    kind: "bytes",
    value: ({ bytes_fetched }) => bytes_fetched,
  },
  {
    key: "bytes_per_second",
    header: "PER SECOND",
    kind: "bytes",
    value: ({ bytes_per_second }) => bytes_per_second,
  },
  {
    key: "eta_ms",
    header: "ETA",
    kind: "duration",
    value: ({ eta_seconds }) => eta_seconds === null ? null : eta_seconds * 1_000,
  },
  { key: "started", header: "STARTED", kind: "time", value: ({ started }) => Date.parse(started) },
  {
    key: "ended",
    header: "ENDED",
    kind: "time",
    value: ({ ended }) => ended === null ? null : Date.parse(ended),
  },
  { key: "reason", header: "REASON", kind: "text", value: ({ reason }) => reason },
];

function warmText(status: WarmStatus): string {
  const { bytes_fetched, bytes_skipped, bytes_per_second, seconds, in_place } = status;
  const fetched = `${formatBytes(bytes_fetched)} fetched in ${formatDuration(seconds * 1_000)}`;
  const rate = bytes_fetched > 0 ? ` at ${rateText(bytes_per_second)}` : "";
  const lines = [
    `Warm: ${filesText(status)}, ${bytesText(status)}`,
    `${fetched}${rate}, ${formatBytes(bytes_skipped)} were cached before`,
  ];
  if (in_place > 0) lines.push("Files of local backends are read where they are: nothing to warm");
  if (status.state === "capped") {
    lines.push(`Stopped: ${status.reason}. To go on, run it again: only new bytes count`);
  }
  return lines.map((line) => `${line}\n`).join("");
}

function checkText(status: WarmStatus): string {
  const { bytes_done, bytes_total } = status;
  const percent = bytes_total === 0 ? 100 : Math.floor(bytes_done / bytes_total * 1_000) / 10;
  return `Cached: ${filesText(status)}, ${bytesText(status)} (${percent.toFixed(1)}%)\n`;
}

function filesText({ files_done, files_total, listed }: WarmStatus): string {
  const [done, total] = [counts.format(files_done), counts.format(files_total)];
  if (!listed) return `${done} of at least ${total} files`;
  return files_done === files_total ? `${total} files` : `${done} of ${total} files`;
}

function bytesText({ bytes_done, bytes_total }: WarmStatus): string {
  const [done, total] = [formatBytes(bytes_done), formatBytes(bytes_total)];
  return bytes_done === bytes_total ? total : `${done} of ${total}`;
}

function errorOf({ state, reason, files_failed, job }: WarmStatus): CommandError | null {
  switch (state) {
    case "failed":
      return new CommandError(
        "failed",
        `Cannot warm everything: ${counts.format(files_failed)} failed`,
        "Run it again: what is cached is not fetched again",
      );
    case "full":
      return new CommandError(
        "failed",
        `Cannot warm everything: ${reason ?? "the cache is full"}`,
        "Raise cache.max_size, unpin or evict something, or warm less; what was warmed stays",
      );
    case "cancelled":
      return new CommandError(
        "failed",
        `Stop warm job "${job}": ${reason ?? "it was cancelled"}`,
        "To go on, run it again: what is cached is not fetched again",
      );
    case "running":
    case "waiting":
    case "done":
    case "capped":
      return null;
  }
}
