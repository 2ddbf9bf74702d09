/** What a run found, for a person and for a file that later runs are compared with. */
import type { Outcome, Score } from "./experiment.ts";
import type { Place } from "./machine.ts";
import type { Verdict } from "./targets.ts";

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
export function headingLines({ place, tools, rounds, when }: Omit<Findings, "memory">): string[] {
  const { processor, cores, memoryGib, kernel, fileSystem, deno, commit, load } = place;
  return [
    `${when}, commit ${commit}, ${tools.warpdrive} (Deno ${deno}), ${tools.fio}`,
    `${processor}, ${cores} cores, ${memoryGib} GiB, Linux ${kernel}, ${fileSystem}, ` +
    `load ${load.toFixed(1)} at the start, median of ${rounds}`,
  ];
}

/** One experiment as a small table. */
export function outcomeLines({ title, unit, scores }: Outcome): string[] {
  const [first] = scores;
  return [
    "",
    `${title}, ${unit}`,
    ...scores.map((score) => `  ${scoreText(score, unit, first)}`),
  ];
}

/** A score, against the first contender: that is what the others are measured by. */
function scoreText(score: Score, unit: Outcome["unit"], first: Score | undefined): string {
  const text = (value: number) => number(value, unit).padStart(8);
  const ratio = first === undefined || first === score
    ? ""
    : `   ${(score.median / first.median).toFixed(2)} of ${first.name}`;
  const range = `${number(score.min, unit)} to ${number(score.max, unit)}`;
  return `${score.name.padEnd(24)} ${text(score.median)}   (${range})${ratio}`;
}

function number(value: number, unit: Outcome["unit"]): string {
  switch (unit) {
    case "IOPS":
    case "MiB":
      return value.toFixed(0);
    case "s":
    case "ratio":
      return value.toFixed(3);
    case "GB/s":
      return value.toFixed(2);
  }
}

/** Memory and targets. */
export function closingLines({ memory, targets }: Findings): string[] {
  return [
    "",
    "Peak resident memory, MiB",
    ...memory.map(({ name, peakMib }) => `  ${name.padEnd(24)} ${peakMib.toFixed(0).padStart(8)}`),
    "",
    ...targetLines(targets),
  ];
}

/** The targets, each with what was reached. */
export function targetLines(targets: readonly Verdict[]): string[] {
  return [
    "Targets",
    ...targets.map(({ text, reached, verdict }) =>
      `  ${MARKS[verdict]}  ${text}${reached === null ? "" : ` (${reached.toFixed(2)})`}`
    ),
  ];
}
