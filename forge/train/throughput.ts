/** Where the time of steps went, between two lines of output and over the run. */

/** One step. */
export interface Step {
  readonly samples: number;
  /** Waiting for the batch. */
  readonly dataMs: number;
  /** The model's work. */
  readonly computeMs: number;
  readonly loss: number;
}

/** The steps of a window or of the run. */
export interface Throughput {
  readonly steps: number;
  readonly samples: number;
  /** Waiting for batches, in all. */
  readonly dataMs: number;
  /** Steps of the model, in all. */
  readonly computeMs: number;
  /** Of the last step. */
  readonly loss: number;
}

/** Sums up steps. */
export class ThroughputMeter {
  #sum: Throughput = NOTHING;

  add({ samples, dataMs, computeMs, loss }: Step): void {
    const sum = this.#sum;
    this.#sum = {
      steps: sum.steps + 1,
      samples: sum.samples + samples,
      dataMs: sum.dataMs + dataMs,
      computeMs: sum.computeMs + computeMs,
      loss,
    };
  }

  get steps(): number {
    return this.#sum.steps;
  }

  /** What was summed up since the last call. */
  take(): Throughput {
    const sum = this.#sum;
    this.#sum = NOTHING;
    return sum;
  }
}

const NOTHING: Throughput = { steps: 0, samples: 0, dataMs: 0, computeMs: 0, loss: NaN };

/** Samples per second of data and compute time together. */
export function imagesPerSecond(
  { samples, dataMs, computeMs }: Omit<Step, "loss">,
): number {
  return samples / Math.max(dataMs + computeMs, 1e-6) * 1_000;
}

/** Mean time per step, in milliseconds. */
export function perStep({ steps }: Throughput, totalMs: number): number {
  return totalMs / Math.max(steps, 1);
}
