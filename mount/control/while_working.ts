/** The records of a call whose work takes long. */
import type { Clock } from "../../cache/platform/clock.ts";

/** A client that hears nothing for much longer takes the mount to be dead. */
const RECORD_MS = 1_000;

/**
 * What `working` says, each second for as long as `work` goes on, and what it gave at the end.
 * `work` ends soon after `signal` aborts; nothing is left running behind the records.
 */
export async function* whileWorking<Working, Done>(
  work: Promise<Done>,
  working: () => Working,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<Working | Done, void, undefined> {
  const over = new AbortController();
  // Who leaves the loop early awaits its failure below, and so does who waits for its end.
  const settled = work.then(() => "settled" as const, () => "settled" as const);
  try {
    for (;;) {
      const pause = clock.sleep(RECORD_MS, AbortSignal.any([over.signal, signal]))
        .then(() => "working" as const, () => "settled" as const);
      if (await Promise.race([settled, pause]) === "settled") break;
      yield working();
    }
    yield await work;
  } finally {
    over.abort();
    await settled;
  }
}
