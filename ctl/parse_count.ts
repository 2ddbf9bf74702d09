/** Numbers, sizes and ages on command lines. */
import { CommandError } from "../cache/platform/exit.ts";
import { parseBytes } from "../cache/platform/units.ts";

const DAY_MS = 86_400_000;

/**
 * The whole number `written` behind `option`.
 *
 * @throws {CommandError} `usage` when it is none from `min` to `max`.
 */
export function parseCount(option: string, written: string, min: number, max: number): number {
  const count = /^\d{1,15}$/.test(written) ? Number(written) : NaN;
  if (count >= min && count <= max) return count;
  throw wrong(option, written, `a whole number from ${min} to ${max}`);
}

/** The bytes `written` behind `option`, such as `1GiB`. */
export function parseSize(option: string, written: string): number {
  const bytes = parseBytes(written);
  if (bytes !== null) return bytes;
  throw wrong(option, written, 'a size such as "1GiB"');
}

/** The days `written` behind `option`, in milliseconds; a part of a day is one too. */
export function parseDays(option: string, written: string): number {
  if (/^\d{1,6}(\.\d+)?$/.test(written)) return Number(written) * DAY_MS;
  throw wrong(option, written, 'a number of days such as "30"');
}

function wrong(option: string, written: string, wanted: string): CommandError {
  return new CommandError(
    "usage",
    `Cannot read ${option} "${written}": wanted ${wanted}`,
    "Run it again with --help for examples",
  );
}
