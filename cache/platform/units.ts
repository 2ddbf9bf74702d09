/**
 * Sizes and durations as people write them in configuration files and read them in reports.
 *
 * `4MB` and `4MiB` both mean 4,194,304 bytes: the founding documents write "4MB" for the default
 * block, and a cache sized with decimal units would be off by 5 to 10 percent from what they meant.
 */

const BYTE_UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
  p: 2 ** 50,
};

const DURATION_UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Bytes meant by `text` (`"4MiB"`, `"4MB"`, `"2T"`, `"4194304"`), or null if it is no size. */
export function parseBytes(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgtp]?)(?:i?b)?$/i.exec(text.trim());
  if (match === null) return null;
  const unit = BYTE_UNITS[(match[2] ?? "").toLowerCase()];
  if (unit === undefined) return null;
  const bytes = Number(match[1]) * unit;
  return Number.isSafeInteger(Math.round(bytes)) ? Math.round(bytes) : null;
}

/** Milliseconds meant by `text` (`"60s"`, `"1.5h"`, `"0"`), or null if it is no duration. */
export function parseDurationMs(text: string): number | null {
  const trimmed = text.trim();
  if (trimmed === "0") return 0;
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/.exec(trimmed);
  if (match === null) return null;
  const unit = DURATION_UNITS_MS[match[2] ?? ""];
  return unit === undefined ? null : Math.round(Number(match[1]) * unit);
}

/** `bytes` for a person, in binary units with at most one decimal: `"4 MiB"`, `"1.5 GiB"`. */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let value = bytes;
  let index = 0;
  while (Math.abs(value) >= 1024 && index < units.length - 1) {
    value /= 1024;
    index += 1;
  }
  const digits = Number.isInteger(value) || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[index]}`;
}

/** `ms` for a person: `"250ms"`, `"1.5s"`, `"2m"`, `"3h"`. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  const [value, unit] = ms < 60_000
    ? [ms / 1_000, "s"]
    : ms < 3_600_000
    ? [ms / 60_000, "m"]
    : [ms / 3_600_000, "h"];
  return `${Number.isInteger(value) ? value : value.toFixed(1)}${unit}`;
}
