/** Round numbers for an axis. */

/** Values at equal distances that are 1, 2 or 5 times a power of ten. */
export interface Ticks {
  /** First and last value of the axis: the first and the last tick. */
  readonly low: number;
  readonly high: number;
  readonly values: readonly number[];
  /** Digits behind the point that tell the values apart. */
  readonly digits: number;
}

/** Ticks that enclose `low` to `high`, about `count` of them. */
export function ticksOf(low: number, high: number, count: number): Ticks {
  // A curve that is level needs an axis of some height.
  const span = high - low > 0 ? high - low : Math.max(Math.abs(high), 1) / 10;
  const step = roundStep(span / count);
  const first = Math.floor(low / step);
  const last = Math.max(Math.ceil(high / step), first + 1);
  const values = Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return { low: first * step, high: last * step, values, digits };
}

/** The smallest of 1, 2, 5, 10, 20, … that is not below `rough`. */
function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5].find((candidate) => candidate * power >= rough * (1 - 1e-9)) ?? 10;
  return factor * power;
}
