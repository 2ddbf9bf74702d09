/** Whether the clock of this machine is that of a service, which refuses what other times sign. */
import { CLOCK_REMEDY, describeSkew, SKEW_MS_MAX } from "../../cache/backend/access/clock_skew.ts";
import { bad, doubtful, type Finding, good, skipped } from "../../cache/platform/finding.ts";
import { describeError } from "../../cache/platform/log.ts";
import { type Check, NETWORK_DEADLINE_MS } from "./check.ts";
import { type Origin, skewOf } from "./origin.ts";

/** A clock that is set by NTP is never as far off. */
const SKEW_MS_WARN = 30_000;

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
