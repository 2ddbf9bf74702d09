/** Whether the clock of this machine is that of a service, which refuses what other times sign. */
import { bad, doubtful, type Finding, good, skipped } from "../../cache/platform/finding.ts";
import { describeError } from "../../cache/platform/log.ts";
import { formatDuration } from "../../cache/platform/units.ts";
import { type Check, NETWORK_DEADLINE_MS } from "./check.ts";
import { type Origin, skewOf } from "./origin.ts";

/** A clock that is set by NTP is never as far off. */
const SKEW_MS_WARN = 30_000;
/** Tokens are refused from here on; signatures of Azure and S3 at 15 minutes. */
export const SKEW_MS_MAX = 300_000;
/** The resolution of a `Date` header. */
const RESOLUTION_MS = 1_000;

/** What to do about a clock. */
export const CLOCK_REMEDY = 'Set the clock by NTP: "timedatectl set-ntp true", or chrony';

/** The check of the clock against that of `origin`. */
export function clockSkew(origin: Origin): Check {
  const subject = `clock against ${origin.url.host}`;
  return {
    name: "clock_skew",
    subject,
    deadlineMs: NETWORK_DEADLINE_MS,
    async run(signal) {
      try {
        const date = await origin.date(signal);
        if (date === null) return skipped(subject, "its answer has no date");
        return judgeSkew(subject, skewOf(date));
      } catch (error) {
        signal.throwIfAborted();
        return skipped(subject, `it does not answer: ${describeError(error)}`);
      }
    },
  };
}

/** Judges how far the clock of this machine is ahead. */
export function judgeSkew(subject: string, skewMs: number): Finding {
  const found = describeSkew(skewMs);
  if (Math.abs(skewMs) >= SKEW_MS_MAX) {
    return bad(subject, `${found}: requests are refused`, CLOCK_REMEDY);
  }
  if (Math.abs(skewMs) >= SKEW_MS_WARN) return doubtful(subject, found, CLOCK_REMEDY);
  return good(subject, found);
}

/** A skew in words. */
export function describeSkew(skewMs: number): string {
  if (Math.abs(skewMs) <= RESOLUTION_MS) return "the same, as far as a second tells";
  const far = formatDuration(Math.abs(Math.round(skewMs / 1_000) * 1_000));
  return `this machine is ${far} ${skewMs > 0 ? "ahead" : "behind"}`;
}
