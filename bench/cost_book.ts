/** What experiments cost besides time: processor, memory, and bytes of the origin. */
import { median } from "./statistics.ts";

/** What one pass cost. */
export interface Cost {
  /** Bytes the reader was given. */
  readonly bytes: number;
  /** Of the daemon, or of the loop it is compared with. */
  readonly cpuSeconds: number;
  /** Most memory resident during the pass; null where nobody looked. */
  readonly peakMib: number | null;
  readonly originBytes: number;
}

/** What the passes of one contender cost, in the middle; memory at most. */
export interface CostLine {
  readonly experiment: string;
  readonly contender: string;
  readonly cpuSecondsPerGb: number;
  readonly peakMib: number | null;
  /** Bytes fetched over bytes read. */
  readonly fetchedRatio: number;
}

/** The costs of a run. */
export class CostBook {
  readonly #costs = new Map<string, { experiment: string; contender: string; costs: Cost[] }>();

  /** Adds a pass. */
  note(experiment: string, contender: string, cost: Cost): void {
    const key = `${experiment}\0${contender}`;
    const known = this.#costs.get(key);
    if (known === undefined) this.#costs.set(key, { experiment, contender, costs: [cost] });
    else known.costs.push(cost);
  }

  /** One line for each contender of an experiment. */
  lines(): CostLine[] {
    return [...this.#costs.values()].map(({ experiment, contender, costs }) => {
      const peaks = costs.flatMap(({ peakMib }) => peakMib === null ? [] : [peakMib]);
      return {
        experiment,
        contender,
        cpuSecondsPerGb: median(costs.map(({ cpuSeconds, bytes }) => cpuSeconds / bytes * 1e9)),
        peakMib: peaks.length === 0 ? null : Math.max(...peaks),
        fetchedRatio: median(costs.map(({ originBytes, bytes }) => originBytes / bytes)),
      };
    });
  }
}
