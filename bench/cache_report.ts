/** What a run of the cache's benchmark found, for a person and for later runs. */
import type { CostLine } from "./cost_book.ts";
import { type Findings, targetLines } from "./mount_report.ts";

/** Everything a run found. */
export interface CacheFindings extends Omit<Findings, "memory"> {
  readonly costs: readonly CostLine[];
}

/** Costs and targets. */
export function closingLines({ costs, targets }: CacheFindings): string[] {
  return [
    "",
    "Costs: CPU seconds per GB read, peak resident MiB, bytes fetched over bytes read",
    ...costs.map(({ experiment, contender, cpuSecondsPerGb, peakMib, fetchedRatio }) =>
      `  ${experiment.padEnd(18)} ${contender.padEnd(18)} ${
        cpuSecondsPerGb.toFixed(2).padStart(8)
      }` +
      ` ${(peakMib?.toFixed(0) ?? "").padStart(8)} ${fetchedRatio.toFixed(3).padStart(8)}`
    ),
    "",
    ...targetLines(targets),
  ];
}
