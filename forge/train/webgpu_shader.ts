/** The model's step as WebGPU runs it, in WGSL. */
import { CLASSES } from "./batches.ts";
import { FEATURES } from "./features.ts";

/** Width of the workgroup: whole waves on every GPU, few switches where a CPU plays one. */
const INVOCATIONS = 64;
/** Features that one invocation looks after. */
const OWN_FEATURES = FEATURES / INVOCATIONS;

/**
 * One workgroup learns from one sample after the other, as the model does on the CPU: descent per
 * sample is a chain, and no group could know the weights that another one is about to write. Each
 * invocation keeps the weights of its features for the whole batch, and all keep the same biases.
 *
 * Two barriers a sample are enough: what one sample's scores are made of is read before the second
 * one, and the scores are read before the first one of the next sample.
 *
 * An image's features are bytes, four to a word, the first one lowest.
 */
export const STEP_SHADER = `
const classes = ${CLASSES}u;
const invocations = ${INVOCATIONS}u;
const owned = ${OWN_FEATURES}u;
const features = ${FEATURES}u;

struct Step { size: u32, learning_rate: f32, probability_min: f32 }

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> images: array<u32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read_write> weights: array<f32, ${FEATURES * CLASSES}>;
@group(0) @binding(4) var<storage, read_write> biases: array<f32, ${CLASSES}>;
@group(0) @binding(5) var<storage, read_write> loss: array<f32, 1>;

var<workgroup> parts: array<f32, ${INVOCATIONS * CLASSES}>;
var<workgroup> scores: array<f32, ${CLASSES}>;

@compute @workgroup_size(${INVOCATIONS})
fn learn(@builtin(local_invocation_index) index: u32) {
  var own_weights: array<f32, ${OWN_FEATURES * CLASSES}>;
  var own_biases: array<f32, ${CLASSES}>;
  for (var c = 0u; c < classes; c++) {
    own_biases[c] = biases[c];
    for (var f = 0u; f < owned; f++) {
      own_weights[c * owned + f] = weights[c * features + index * owned + f];
    }
  }

  var total = 0.0;
  for (var sample = 0u; sample < step.size; sample++) {
    var inputs: array<f32, ${OWN_FEATURES}>;
    for (var f = 0u; f < owned; f++) {
      let place = sample * features + index * owned + f;
      inputs[f] = f32(extractBits(images[place / 4u], (place % 4u) * 8u, 8u)) / 255.0;
    }
    for (var c = 0u; c < classes; c++) {
      var part = 0.0;
      for (var f = 0u; f < owned; f++) { part += own_weights[c * owned + f] * inputs[f]; }
      parts[c * invocations + index] = part;
    }
    workgroupBarrier();

    if (index < classes) {
      var score = own_biases[index];
      for (var i = 0u; i < invocations; i++) { score += parts[index * invocations + i]; }
      scores[index] = score;
    }
    workgroupBarrier();

    var largest = scores[0];
    for (var c = 1u; c < classes; c++) { largest = max(largest, scores[c]); }
    var likelihoods: array<f32, ${CLASSES}>;
    var sum = 0.0;
    for (var c = 0u; c < classes; c++) {
      likelihoods[c] = exp(scores[c] - largest);
      sum += likelihoods[c];
    }
    let label = labels[sample];
    total -= log(max(likelihoods[label] / sum, step.probability_min));
    for (var c = 0u; c < classes; c++) {
      let error = likelihoods[c] / sum - select(0.0, 1.0, c == label);
      own_biases[c] -= step.learning_rate * error;
      for (var f = 0u; f < owned; f++) {
        own_weights[c * owned + f] -= step.learning_rate * error * inputs[f];
      }
    }
  }

  // Every invocation has read the biases by now, unless there was no sample to wait for.
  workgroupBarrier();
  for (var c = 0u; c < classes; c++) {
    for (var f = 0u; f < owned; f++) {
      weights[c * features + index * owned + f] = own_weights[c * owned + f];
    }
  }
  if (index < classes) { biases[index] = own_biases[index]; }
  if (index == 0u) { loss[0] = total / f32(step.size); }
}
`;
