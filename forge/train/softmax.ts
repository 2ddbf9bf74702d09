/**
 * Softmax regression on the CPU: 256 features, 10 classes, stochastic gradient descent one sample
 * at a time (Bishop, "Pattern Recognition and Machine Learning", 4.3.4). In doubles, in a fixed
 * order and by operations that IEEE 754 defines to the last bit, so that a seed gives the same
 * losses bit for bit everywhere.
 */
import { type Batch, CLASSES } from "./batches.ts";
import { exponential, logarithm } from "./exact_math.ts";
import { FEATURES } from "./features.ts";
import type { Model } from "./model.ts";
import { Xoshiro128 } from "../../cache/platform/random.ts";

/** Step of the descent. */
export const LEARNING_RATE = 0.05;
/** Weights begin within this distance of 0. */
const WEIGHT_MAX = 0.01;
/** A class that is held impossible costs this much and no more: the logarithm of 0 is none. */
export const PROBABILITY_MIN = 1e-9;
/** Stream of a seed that the weights are drawn from. */
const WEIGHTS_STREAM = 1;

/** The weights a seed begins with: for each class, one per feature. Biases begin at 0. */
export function initialWeights(seed: number): Float64Array<ArrayBuffer> {
  const random = Xoshiro128.seeded(seed, WEIGHTS_STREAM);
  return Float64Array.from(
    { length: CLASSES * FEATURES },
    () => (random.fraction() * 2 - 1) * WEIGHT_MAX,
  );
}

/** The model with its weights. */
export class Softmax implements Model {
  readonly #weights: Float64Array<ArrayBuffer>;
  readonly #biases = new Float64Array(CLASSES);
  readonly #inputs = new Float64Array(FEATURES);
  readonly #probabilities = new Float64Array(CLASSES);

  constructor(seed: number) {
    this.#weights = initialWeights(seed);
  }

  step({ size, features, labels }: Batch): number {
    let loss = 0;
    for (let sample = 0; sample < size; sample += 1) {
      for (let feature = 0; feature < FEATURES; feature += 1) {
        this.#inputs[feature] = (features[sample * FEATURES + feature] ?? 0) / 255;
      }
      loss += this.#learn(labels[sample] ?? 0);
    }
    return loss / size;
  }

  [Symbol.dispose](): void {}

  /** Learns from the sample in `#inputs`; returns its loss. */
  #learn(label: number): number {
    this.#classify();
    const probability = this.#probabilities[label] ?? 0;
    for (let category = 0; category < CLASSES; category += 1) {
      const error = (this.#probabilities[category] ?? 0) - (category === label ? 1 : 0);
      const step = LEARNING_RATE * error;
      const row = category * FEATURES;
      for (let feature = 0; feature < FEATURES; feature += 1) {
        const weight = this.#weights[row + feature] ?? 0;
        this.#weights[row + feature] = weight - step * (this.#inputs[feature] ?? 0);
      }
      this.#biases[category] = (this.#biases[category] ?? 0) - step;
    }
    return -logarithm(Math.max(probability, PROBABILITY_MIN));
  }

  /** Fills `#probabilities`. The largest score is taken off all, so that none overflows. */
  #classify(): void {
    const scores = this.#probabilities;
    let largest = -Infinity;
    for (let category = 0; category < CLASSES; category += 1) {
      const row = category * FEATURES;
      let score = this.#biases[category] ?? 0;
      for (let feature = 0; feature < FEATURES; feature += 1) {
        score += (this.#weights[row + feature] ?? 0) * (this.#inputs[feature] ?? 0);
      }
      scores[category] = score;
      largest = Math.max(largest, score);
    }
    let sum = 0;
    for (let category = 0; category < CLASSES; category += 1) {
      const likelihood = exponential((scores[category] ?? 0) - largest);
      scores[category] = likelihood;
      sum += likelihood;
    }
    for (let category = 0; category < CLASSES; category += 1) {
      scores[category] = (scores[category] ?? 0) / sum;
    }
  }
}
