/** An experiment: one workload, measured on several contenders in turn. */
import { summarize, type Summary } from "./statistics.ts";

/** Something measured: the raw files, or a mount of them. */
export interface Contender {
  readonly name: string;
  /** One pass, in the unit of the experiment. */
  measure(signal: AbortSignal): Promise<number>;
}

/** One workload and who runs it. */
export interface Experiment {
  readonly id: string;
  readonly title: string;
  readonly unit: "GB/s" | "IOPS" | "s" | "MiB" | "ratio";
  readonly contenders: readonly Contender[];
}

/** What one contender reached. */
export interface Score extends Summary {
  readonly name: string;
  readonly values: readonly number[];
}

/** An experiment that has been run. */
export interface Outcome {
  readonly id: string;
  readonly title: string;
  readonly unit: Experiment["unit"];
  readonly scores: readonly Score[];
}

/**
 * Runs `experiment` in `rounds` rounds. A round measures every contender once and each round begins
 * with another one, so that drift of the machine falls on all alike.
 */
export async function runExperiment(
  experiment: Experiment,
  rounds: number,
  signal: AbortSignal,
): Promise<Outcome> {
  const { id, title, unit, contenders } = experiment;
  const values = contenders.map((): number[] => []);
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < contenders.length; turn += 1) {
      const index = (round + turn) % contenders.length;
      signal.throwIfAborted();
      const value = await contenders[index]?.measure(signal);
      if (value !== undefined) values[index]?.push(value);
    }
  }
  const scores = contenders.map(({ name }, index): Score => {
    const own = values[index] ?? [];
    return { name, values: own, ...summarize(own) };
  });
  return { id, title, unit, scores };
}
