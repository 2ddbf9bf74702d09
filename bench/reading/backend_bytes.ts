/** What a mount fetched from its stores, as its metrics tell (Prometheus text format 0.0.4). */
import { CommandError } from "../../cache/platform/exit.ts";

const COUNTER = "warpdrive_backend_bytes_read_total";
/** Longest wait for the metrics. */
const TIMEOUT_MS = 5_000;

/**
 * Bytes read from all stores so far, from the metrics at `url`.
 *
 * @throws {CommandError} when they cannot be had.
 */
export async function backendBytes(url: string, signal: AbortSignal): Promise<number> {
  try {
    const answer = await fetch(url, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`HTTP status ${answer.status}`);
    // Others serve metrics at the port that is asked by default.
    if (!text.includes(`# TYPE ${COUNTER} `)) {
      throw new Error(`A mount counts "${COUNTER}", and this program does not`);
    }
    return sumOf(text);
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new CommandError(
      "failed",
      `Cannot read metrics from "${url}"`,
      "Name where the mount serves its metrics with --metrics URL",
      { cause },
    );
  }
}

/** The counter summed over its backends; 0 when nothing was counted yet. */
export function sumOf(metrics: string): number {
  let sum = 0;
  for (const line of metrics.split("\n")) {
    if (!line.startsWith(COUNTER)) continue;
    sum += Number(line.slice(line.lastIndexOf(" ") + 1));
  }
  return sum;
}
