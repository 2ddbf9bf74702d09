/** The steps of a run as a curve: as many points as a picture has room for, however long it was. */
import { imagesPerSecond, type Step } from "../train/throughput.ts";

/** How a run stood at one of its steps. */
export interface Point {
  /** Counted from 1. */
  readonly step: number;
  readonly imagesPerSecond: number;
  readonly loss: number;
}

/**
 * What is in a point besides its own step: some steps before it, fewer where there were not so many
 * yet; or, in its speed only, everything since the start.
 */
export type MeanOf =
  | { readonly kind: "steps"; readonly steps: number }
  | { readonly kind: "start" };

/** Points in their order. */
export interface Curve {
  readonly points: readonly Point[];
  readonly meanOf: MeanOf;
}

/** Steps added up; `loss` too. */
type Sum = Step & { readonly steps: number };

const NOTHING: Sum = { steps: 0, samples: 0, dataMs: 0, computeMs: 0, loss: 0 };

/** Takes steps, and holds at most so many points of them. */
export class StepSeries {
  readonly #pointsMax: number;
  #sums: Sum[] = [];
  /** Steps in each sum. */
  #stepsPerPoint = 1;
  #open: Sum = NOTHING;

  /** @param pointsMax Even. */
  constructor(pointsMax: number) {
    this.#pointsMax = pointsMax;
  }

  add(step: Step): void {
    this.#open = together(this.#open, { ...step, steps: 1 });
    if (this.#open.steps < this.#stepsPerPoint) return;
    this.#sums.push(this.#open);
    this.#open = NOTHING;
    if (this.#sums.length === this.#pointsMax) this.#halve();
  }

  /**
   * The curve so far. Each point is the mean of an eighth of the run, which ends there: batches
   * come a shard at a time, and the speed of single steps says nothing.
   */
  get curve(): Curve {
    const sums = this.#open.steps === 0 ? this.#sums : [...this.#sums, this.#open];
    const width = Math.ceil(sums.length / 8);
    let step = 0;
    const points = sums.map(({ steps }, index): Point => {
      step += steps;
      const sum = sums.slice(Math.max(0, index + 1 - width), index + 1).reduce(together, NOTHING);
      return { step, imagesPerSecond: imagesPerSecond(sum), loss: sum.loss / sum.steps };
    });
    return { points, meanOf: { kind: "steps", steps: width * this.#stepsPerPoint } };
  }

  #halve(): void {
    const sums = this.#sums;
    this.#sums = sums.flatMap((sum, index) =>
      index % 2 === 0 ? [together(sum, sums[index + 1] ?? NOTHING)] : []
    );
    this.#stepsPerPoint *= 2;
  }
}

function together(one: Sum, other: Sum): Sum {
  return {
    steps: one.steps + other.steps,
    samples: one.samples + other.samples,
    dataMs: one.dataMs + other.dataMs,
    computeMs: one.computeMs + other.computeMs,
    loss: one.loss + other.loss,
  };
}
