/** What the mount has to reach: ratios to what was measured in the same run. */
import type { Outcome } from "./experiment.ts";

/** One demand on the outcome of an experiment. */
export interface Target {
  readonly text: string;
  readonly experiment: string;
  readonly contender: string;
  readonly demand:
    | { readonly kind: "ratio at least"; readonly of: readonly string[]; readonly limit: number }
    | { readonly kind: "ratio at most"; readonly of: readonly string[]; readonly limit: number }
    | { readonly kind: "less than"; readonly limit: number }
    | { readonly kind: "at least"; readonly limit: number };
}

/** A target, looked at. */
export interface Verdict {
  readonly text: string;
  /** The ratio or value reached; null when this run did not measure what it takes. */
  readonly reached: number | null;
  readonly verdict: "reached" | "missed" | "not measured";
}

/** Contenders, by the names the tables show. */
export const RAW = "raw file";
export const PASSTHROUGH = "warpdrive";
export const SERVED = "warpdrive, daemon-served";
export const RCLONE_OFF = "rclone, no cache";
export const RCLONE_FULL = "rclone, full cache";
const RCLONE = [RCLONE_OFF, RCLONE_FULL];

/** The resident memory every daemon of ours must stay below. */
export const MEMORY_MIB_MAX = 200;

function atLeast(limit: number, of: readonly string[]): Target["demand"] {
  return { kind: "ratio at least", of, limit };
}

/** All targets, in the order of the experiments. */
export const TARGETS: readonly Target[] = [
  {
    text: "passthrough, sequential 1 MiB, 1 reader: at least 0.95 of raw",
    experiment: "passthrough-1",
    contender: PASSTHROUGH,
    demand: atLeast(0.95, [RAW]),
  },
  {
    text: "passthrough, sequential 1 MiB, 32 readers: at least 0.95 of raw",
    experiment: "passthrough-32",
    contender: PASSTHROUGH,
    demand: atLeast(0.95, [RAW]),
  },
  {
    text: "daemon-served, O_DIRECT 1 MiB: at least 0.2 of raw hot",
    experiment: "served-direct",
    contender: SERVED,
    demand: atLeast(0.2, [RAW]),
  },
  {
    text: "daemon-served, O_DIRECT 1 MiB: at least 3 times rclone",
    experiment: "served-direct",
    contender: SERVED,
    demand: atLeast(3, RCLONE),
  },
  {
    text: "daemon-served, buffered, mount's pages dropped: at least 0.1 of raw hot",
    experiment: "served-buffered",
    contender: SERVED,
    demand: atLeast(0.1, [RAW]),
  },
  {
    text: "daemon-served, buffered, mount's pages dropped: at least 3 times rclone",
    experiment: "served-buffered",
    contender: SERVED,
    demand: atLeast(3, RCLONE),
  },
  {
    text: "daemon-served, random 4 KiB, 16 jobs, O_DIRECT: at least 0.6 of raw",
    experiment: "random",
    contender: SERVED,
    demand: atLeast(0.6, [RAW]),
  },
  {
    text: "find, cold: at most half of rclone's time",
    experiment: "find-cold",
    contender: PASSTHROUGH,
    demand: { kind: "ratio at most", of: [RCLONE_OFF], limit: 0.5 },
  },
  {
    text: "find, warm: below 0.05 s",
    experiment: "find-warm",
    contender: PASSTHROUGH,
    demand: { kind: "less than", limit: 0.05 },
  },
];

/** Looks at `target`; of several contenders to compare with, the best counts. */
export function judge(target: Target, outcomes: readonly Outcome[]): Verdict {
  const { text, demand } = target;
  const outcome = outcomes.find(({ id }) => id === target.experiment);
  const own = outcome?.scores.find(({ name }) => name === target.contender)?.median;
  if (outcome === undefined || own === undefined) return notMeasured(text);
  if (demand.kind === "less than") {
    return { text, reached: own, verdict: own < demand.limit ? "reached" : "missed" };
  }
  if (demand.kind === "at least") {
    return { text, reached: own, verdict: own >= demand.limit ? "reached" : "missed" };
  }
  const others = outcome.scores.filter(({ name }) => demand.of.includes(name));
  if (others.length === 0) return notMeasured(text);
  const medians = others.map(({ median }) => median);
  if (demand.kind === "ratio at least") {
    const reached = own / Math.max(...medians);
    return { text, reached, verdict: reached >= demand.limit ? "reached" : "missed" };
  }
  const reached = own / Math.min(...medians);
  return { text, reached, verdict: reached <= demand.limit ? "reached" : "missed" };
}

function notMeasured(text: string): Verdict {
  return { text, reached: null, verdict: "not measured" };
}
