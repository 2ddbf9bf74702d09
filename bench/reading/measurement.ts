/** Rounds of passes: the directory under test and its baseline in turn, so that noise hits both. */
import { median } from "../statistics.ts";
import { LatencyHistogram } from "./latency_histogram.ts";
import type { Pass, Readers } from "./readers.ts";
import type { FileDigest } from "./read_messages.ts";

/** Position of a set of files among those of the readers. */
const TESTED = 0;
const BASELINE = 1;

/** How long and how often. */
export interface Rounds {
  readonly rounds: number;
  /** Of all rounds together; half of it is the baseline's, where there is one. */
  readonly durationMs: number;
  readonly withBaseline: boolean;
  /** Called when a round begins, with its number from 0. */
  readonly onRound: (round: number) => void;
}

/** What came of all rounds. */
export interface Measurement {
  readonly bytes: number;
  readonly seconds: number;
  readonly latencies: LatencyHistogram;
  readonly digests: readonly FileDigest[];
  /** Of the directory and its baseline, round by round; null without a baseline. */
  readonly baseline: Comparison | null;
}

/** The directory against its baseline. */
export interface Comparison {
  readonly bytesPerSecond: number;
  /** Middle one of the rounds' ratios: 1 is as fast as the baseline. */
  readonly ratio: number;
  readonly ratios: readonly number[];
}

/** The sets that are read. */
function setsOf(withBaseline: boolean): readonly number[] {
  return withBaseline ? [TESTED, BASELINE] : [TESTED];
}

/** Reads for `durationMs` what {@linkcode measure} will read. */
export async function warmUp(
  readers: Pick<Readers, "read">,
  durationMs: number,
  withBaseline: boolean,
  signal: AbortSignal,
): Promise<void> {
  if (durationMs === 0) return;
  const sets = setsOf(withBaseline);
  for (const set of sets) await readers.read(set, durationMs / sets.length, signal);
}

/** Measures with `readers`, whose sets are the directory and then its baseline. */
export async function measure(
  readers: Pick<Readers, "read">,
  { rounds, durationMs, withBaseline, onRound }: Rounds,
  signal: AbortSignal,
): Promise<Measurement> {
  const sets = setsOf(withBaseline);
  const passMs = durationMs / rounds / sets.length;
  const tested: Pass[] = [];
  const baseline: Pass[] = [];
  for (let round = 0; round < rounds; round += 1) {
    onRound(round);
    // Who is first takes turns, too.
    for (const set of round % 2 === 0 ? sets : sets.toReversed()) {
      const pass = await readers.read(set, passMs, signal);
      (set === TESTED ? tested : baseline).push(pass);
    }
  }
  return { ...summed(tested), baseline: withBaseline ? compared(tested, baseline) : null };
}

function summed(passes: readonly Pass[]) {
  const latencies = new LatencyHistogram();
  for (const pass of passes) latencies.addAll(pass.latencies);
  return {
    bytes: passes.reduce((sum, { bytes }) => sum + bytes, 0),
    seconds: passes.reduce((sum, { seconds }) => sum + seconds, 0),
    latencies,
    digests: passes.flatMap(({ digests }) => digests),
  };
}

function compared(tested: readonly Pass[], baseline: readonly Pass[]): Comparison {
  const ratios = tested.map((pass, round) => speed(pass) / speed(baseline[round]));
  const { bytes, seconds } = summed(baseline);
  return { bytesPerSecond: bytes / seconds, ratio: median(ratios), ratios };
}

function speed(pass: Pass | undefined): number {
  return pass === undefined ? NaN : pass.bytes / pass.seconds;
}
