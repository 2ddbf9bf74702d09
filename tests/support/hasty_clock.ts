import { type Clock, systemClock } from "../../cache/platform/clock.ts";

/** Pauses up to here are for gathering work, longer ones are deadlines. */
const PAUSE_MS_MAX = 500;

/**
 * The machine's clocks, with pauses a hundredth as long, so that commits come all the time, and
 * with deadlines ten times as long, so that a busy machine breaks none.
 */
export const hastyClock: Clock = {
  ...systemClock,
  sleep: (ms, signal) => systemClock.sleep(ms > PAUSE_MS_MAX ? ms * 10 : ms / 100, signal),
};
