/** What a run found, for a person and for a file that later runs are compared with. */
import type { Outcome, Score } from "./experiment.ts";
import type { Place } from "./machine.ts";
import { RAW, type Verdict } from "./targets.ts";

/** Peak resident memory of one daemon. */
export interface Memory {
  readonly name: string;
  readonly peakMib: number;
}

/** Everything a run found. */
export interface Findings {
  readonly when: string;
  readonly place: Place;
  readonly tools: { readonly fio: string; readonly warpdrive: string };
  readonly rounds: number;
  readonly seed: string;
  readonly outcomes: readonly Outcome[];
  readonly memory: readonly Memory[];
  readonly targets: readonly Verdict[];
}

const MARKS = { reached: "pass", missed: "FAIL", "not measured": "----" } as const;

/** The first lines: where and what. */
export function headingLines({ place, tools, rounds, when }: Findings): string[] {
  const { processor, cores, memoryGib, kernel, fileSystem, deno, commit, load } = place;
  return [
    `${when}, commit ${commit}, ${tools.warpdrive} (Deno ${deno}), ${tools.fio}`,
    `${processor}, ${cores} cores, ${memoryGib} GiB, Linux ${kernel}, ${fileSystem}, ` +
    `load ${load.toFixed(1)} at the start, median of ${rounds}`,
  ];
}

/** One experiment as a small table. */
export function outcomeLines({ title, unit, scores }: Outcome): string[] {
  const raw = scores.find(({ name }) => name === RAW)?.median;
  return [
    "",
    `${title}, ${unit}`,
    ...scores.map((score) => `  ${scoreText(score, unit, raw)}`),
  ];
}

function scoreText(score: Score, unit: Outcome["unit"], raw: number | undefined): string {
  const text = (value: number) => number(value, unit).padStart(8);
  const ratio = raw === undefined ? "" : `   ${(score.median / raw).toFixed(2)} of raw`;
  const range = `${number(score.min, unit)} to ${number(score.max, unit)}`;
  return `${score.name.padEnd(24)} ${text(score.median)}   (${range})${ratio}`;
}

function number(value: number, unit: Outcome["unit"]): string {
  if (unit === "IOPS") return value.toFixed(0);
  return unit === "s" ? value.toFixed(3) : value.toFixed(2);
}

/** Memory and targets. */
export function closingLines({ memory, targets }: Findings): string[] {
  return [
    "",
    "Peak resident memory, MiB",
    ...memory.map(({ name, peakMib }) => `  ${name.padEnd(24)} ${peakMib.toFixed(0).padStart(8)}`),
    "",
    "Targets",
    ...targets.map(({ text, reached, verdict }) =>
      `  ${MARKS[verdict]}  ${text}${reached === null ? "" : ` (${reached.toFixed(2)})`}`
    ),
  ];
}
