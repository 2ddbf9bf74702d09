/** A clock that is not that of a service, which refuses what other times sign. */
import { formatDuration } from "../../platform/units.ts";

/** Tokens are refused from here on; signatures of Azure and S3 at 15 minutes. */
export const SKEW_MS_MAX = 300_000;
/** The resolution of a `Date` header. */
const RESOLUTION_MS = 1_000;

/** What to do about a clock. */
export const CLOCK_REMEDY = 'Set the clock by NTP: "timedatectl set-ntp true", or chrony';

/** A skew in words. */
export function describeSkew(skewMs: number): string {
  if (Math.abs(skewMs) <= RESOLUTION_MS) return "the same, as far as a second tells";
  const far = formatDuration(Math.abs(Math.round(skewMs / 1_000) * 1_000));
  return `this machine is ${far} ${skewMs > 0 ? "ahead" : "behind"}`;
}
