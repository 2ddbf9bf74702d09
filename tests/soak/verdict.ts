/** Whether a soak passed: pure, over what was sampled and counted. */

/** One look at the process of the mount. */
export interface Sample {
  /** Since the load began. */
  readonly seconds: number;
  readonly residentBytes: number;
  readonly descriptors: number;
  readonly requestsInFlight: number;
  readonly bufferBytes: number;
  /** How long its metrics took, which wait for its event loop. */
  readonly answerMs: number;
}

/** What happened besides. */
export interface Outcome {
  readonly samples: readonly Sample[];
  /** Before the load, with nothing open. */
  readonly before: Sample;
  /** After the load, when it was given time to come to rest. */
  readonly after: Sample;
  readonly wrongBytes: readonly string[];
  readonly unexpectedErrors: readonly string[];
  /** Records of its log at level error. */
  readonly loggedErrors: readonly string[];
  /** Corruptions it counted: nobody damages the disk here. */
  readonly corruptions: number;
  readonly exitCode: number;
}

const MIB = 1 << 20;
/** Part of a run in which memory may grow, and least time for it: caches fill, code is compiled. */
const WARM_UP_SHARE = 0.4;
const WARM_UP_SECONDS_MIN = 600;
/**
 * Growth of resident memory after that: what a fit through noise may show, and what a leak that
 * needs a week to be felt would show.
 */
const GROWTH_BYTES_MAX = 48 * MIB;
const GROWTH_BYTES_PER_HOUR_MAX = 4 * MIB;
/** Descriptors more than before the load: data files wait half a second for their commit. */
const DESCRIPTORS_MORE_MAX = 16;

/** Every reason for which a soak failed; none when it passed. */
export function faultsOf(outcome: Outcome): string[] {
  const { before, after, wrongBytes, unexpectedErrors, loggedErrors } = outcome;
  const faults = [
    ...wrongBytes.map((text) => `Wrong bytes: ${text}`),
    ...unexpectedErrors.map((text) => `Unexpected error: ${text}`),
    ...loggedErrors.map((text) => `Logged error: ${text}`),
  ];
  const check = (holds: boolean, text: string) => {
    if (!holds) faults.push(text);
  };
  const growth = growthOf(outcome.samples);
  check(
    growth.bytes <= growth.bytesMax,
    `Resident memory grew by ${mib(growth.bytes)} after its warm-up, wanted at most ` +
      `${mib(growth.bytesMax)}`,
  );
  check(
    after.descriptors <= before.descriptors + DESCRIPTORS_MORE_MAX,
    `${after.descriptors} descriptors are open, ${before.descriptors} were before`,
  );
  check(after.requestsInFlight === 0, `${after.requestsInFlight} requests are still in flight`);
  check(after.bufferBytes === 0, `${mib(after.bufferBytes)} of buffers are still taken`);
  check(outcome.corruptions === 0, `${outcome.corruptions} corruptions were counted`);
  check(outcome.exitCode === 0, `The mount ended with exit code ${outcome.exitCode}`);
  return faults;
}

/** Growth of resident memory after the warm-up, and the most that passes; 0 in a short run. */
export function growthOf(
  samples: readonly Sample[],
): { readonly bytes: number; readonly bytesMax: number } {
  const endSeconds = samples.at(-1)?.seconds ?? 0;
  const warmSeconds = Math.max(WARM_UP_SECONDS_MIN, endSeconds * WARM_UP_SHARE);
  const warm = samples.filter(({ seconds }) => seconds >= warmSeconds);
  const hours = Math.max(0, endSeconds - warmSeconds) / 3_600;
  const perSecond = slope(warm.map(({ seconds, residentBytes }) => [seconds, residentBytes]));
  return {
    bytes: perSecond * hours * 3_600,
    bytesMax: GROWTH_BYTES_MAX + hours * GROWTH_BYTES_PER_HOUR_MAX,
  };
}

/** Slope of the straight line through `points` (least squares). */
function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (pick: 0 | 1) => points.reduce((sum, point) => sum + point[pick], 0) / points.length;
  const [meanX, meanY] = [mean(0), mean(1)];
  let [products, squares] = [0, 0];
  for (const [x, y] of points) {
    products += (x - meanX) * (y - meanY);
    squares += (x - meanX) ** 2;
  }
  return squares === 0 ? 0 : products / squares;
}

/** `bytes` for people. */
export function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}
