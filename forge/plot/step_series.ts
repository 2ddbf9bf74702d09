/** The steps of a run as a curve: as many points as a picture has room for, however long it was. */
import { imagesPerSecond, type Step } from "../train/throughput.ts";

/** Steps that follow one another, as one point of a curve. */
export interface Point {
  /** The last of its steps, counted from 1. */
  readonly step: number;
  readonly imagesPerSecond: number;
  /** Mean of its steps. */
  readonly loss: number;
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

  /** The curve so far. */
  get points(): readonly Point[] {
    const sums = this.#open.steps === 0 ? this.#sums : [...this.#sums, this.#open];
    let step = 0;
    return sums.map((sum) => {
      step += sum.steps;
      return { step, imagesPerSecond: imagesPerSecond(sum), loss: sum.loss / sum.steps };
    });
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
