import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type Batch, CLASSES } from "./batches.ts";
import { FEATURES } from "./features.ts";
import { Xoshiro128 } from "../../cache/platform/random.ts";
import { initialWeights, Softmax } from "./softmax.ts";

/** A batch of random images whose class shows in one of their bytes. */
function batchOf(size: number, random: Xoshiro128): Batch {
  const features = Uint8Array.from({ length: size * FEATURES }, () => random.below(256));
  const labels = Uint8Array.from({ length: size }, () => random.below(CLASSES));
  labels.forEach((label, sample) => features[sample * FEATURES] = label * 25);
  return { size, features, labels, keys: [] };
}

/**
 * The same model in its textbook form: whole gradients of the cross-entropy, by finite differences
 * of the loss itself, so that no formula of the program is repeated here.
 */
class Reference {
  readonly #parameters: number[];

  constructor(seed: number) {
    const weights = initialWeights(seed);
    this.#parameters = Array.from({ length: CLASSES }, (_, category) => [
      ...weights.subarray(category * FEATURES, (category + 1) * FEATURES),
      0,
    ]).flat();
  }

  loss(input: readonly number[], label: number, parameters = this.#parameters): number {
    const scores = Array.from({ length: CLASSES }, (_, category) => {
      const row = parameters.slice(category * (FEATURES + 1), (category + 1) * (FEATURES + 1));
      return row.reduce((sum, weight, index) => sum + weight * (input[index] ?? 1), 0);
    });
    const total = Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0));
    return total - (scores[label] ?? NaN);
  }

  learn(input: readonly number[], label: number, rate: number): void {
    const step = 1e-4;
    const gradient = this.#parameters.map((value, index) => {
      const at = (moved: number) => this.loss(input, label, this.#parameters.with(index, moved));
      return (at(value + step) - at(value - step)) / (2 * step);
    });
    gradient.forEach((slope, index) => {
      this.#parameters[index] = (this.#parameters[index] ?? 0) - rate * slope;
    });
  }
}

Deno.test("Softmax begins with the loss of guessing", () => {
  const loss = new Softmax(42).step(batchOf(1, Xoshiro128.seeded(1, 0)));
  assert.ok(Math.abs(loss - Math.log(CLASSES)) < 0.2, String(loss));
});

Deno.test("Softmax draws weights within 0.01 of 0, others for another seed", () => {
  const weights = initialWeights(42);
  assert.ok(weights.every((weight) => Math.abs(weight) <= 0.01));
  assert.ok(Math.abs(weights.reduce((sum, weight) => sum + weight, 0)) / weights.length < 0.001);
  assert.notDeepEqual(weights, initialWeights(0));
});

Deno.test("Softmax descends the gradient of the cross-entropy, sample by sample", () => {
  const random = Xoshiro128.seeded(5, 0);
  const model = new Softmax(9);
  const reference = new Reference(9);
  for (let step = 0; step < 4; step += 1) {
    const batch = batchOf(1, random);
    const input = [...batch.features].map((byte) => byte / 255);
    const label = batch.labels[0] ?? 0;
    const expected = reference.loss(input, label);
    assert.ok(Math.abs(model.step(batch) - expected) < 1e-6, `step ${step}`);
    reference.learn(input, label, 0.05);
  }
});

Deno.test("Softmax reports the mean loss of a batch and learns within it", () => {
  const random = Xoshiro128.seeded(6, 0);
  const whole = batchOf(8, random);
  const alone = new Softmax(1);
  const losses = Array.from({ length: 8 }, (_, sample) =>
    alone.step({
      size: 1,
      features: whole.features.slice(sample * FEATURES, (sample + 1) * FEATURES),
      labels: whole.labels.slice(sample, sample + 1),
      keys: [],
    }));
  const mean = losses.reduce((sum, loss) => sum + loss, 0) / 8;
  assert.equal(new Softmax(1).step(whole), mean);
});

Deno.test("Softmax learns what can be learnt, and stays finite when an image is hopeless", () => {
  const random = Xoshiro128.seeded(7, 0);
  const model = new Softmax(3);
  const first = model.step(batchOf(64, random));
  let last = first;
  for (let step = 0; step < 200; step += 1) last = model.step(batchOf(64, random));
  assert.ok(last < first, `${last} is below ${first}`);
  const white: Batch = {
    size: 2,
    features: new Uint8Array(2 * FEATURES).fill(255),
    labels: Uint8Array.of(0, 1),
    keys: [],
  };
  for (let step = 0; step < 50; step += 1) assert.ok(Number.isFinite(model.step(white)));
});

Deno.test("Softmax takes no probability for less than 1e-9", () => {
  const model = new Softmax(3);
  const learn = (label: number, features: Uint8Array<ArrayBuffer>) =>
    model.step({ size: 1, features, labels: Uint8Array.of(label), keys: [] });
  // What is sure of each part of an image is all too sure of the whole.
  const parts = 16;
  const partBytes = FEATURES / parts;
  for (let step = 0; step < 20 * parts; step += 1) {
    const first = (step % parts) * partBytes;
    learn(0, new Uint8Array(FEATURES).fill(255, first, first + partBytes));
  }
  const loss = learn(1, new Uint8Array(FEATURES).fill(255));
  assert.ok(Math.abs(loss + Math.log(1e-9)) < 1e-9, String(loss));
});

Deno.test("Softmax keeps the losses of a seed, bit for bit, from release to release", () => {
  const random = Xoshiro128.seeded(8, 0);
  const model = new Softmax(42);
  const losses = Float64Array.from({ length: 200 }, () => model.step(batchOf(16, random)));
  const digest = createHash("sha256").update(new Uint8Array(losses.buffer)).digest("hex");
  assert.equal(digest.slice(0, 16), "b835c2943dc0eb96");
});
