/** The model through WebGPU: the losses of the CPU in 32-bit floats. */
import { equal, match, ok } from "node:assert/strict";
import { Xoshiro128 } from "../cache/platform/random.ts";
import { type Batch, CLASSES } from "../forge/train/batches.ts";
import { FEATURES } from "../forge/train/features.ts";
import { initialWeights } from "../forge/train/softmax.ts";
import { WebgpuSoftmax } from "../forge/train/webgpu_softmax.ts";
import { programCommand } from "./cli/run_program.ts";
import { forgeRun } from "./support/forge_run.ts";
import { writeShards } from "./support/tar_shards.ts";

const TOLERANCE = 1e-4;
const BATCH = 32;
const STEPS = 40;

/** The model in 32-bit floats on the CPU, in the plainest form: every result is rounded. */
class FloatSoftmax {
  readonly #weights: Float32Array;
  readonly #biases = new Float32Array(CLASSES);

  constructor(seed: number) {
    this.#weights = Float32Array.from(initialWeights(seed));
  }

  step({ size, features, labels }: Batch): number {
    let total = 0;
    for (let sample = 0; sample < size; sample += 1) {
      const image = features.subarray(sample * FEATURES, (sample + 1) * FEATURES);
      const inputs = Float32Array.from(image, (byte) => byte / 255);
      total = Math.fround(total + this.#learn(inputs, labels[sample] ?? 0));
    }
    return Math.fround(total / size);
  }

  #learn(inputs: Float32Array, label: number): number {
    const rows = Array.from(
      { length: CLASSES },
      (_, row) => this.#weights.subarray(row * FEATURES, (row + 1) * FEATURES),
    );
    const scores = rows.map((weights, row) =>
      inputs.reduce(
        (sum, input, index) => Math.fround(sum + Math.fround((weights[index] ?? 0) * input)),
        this.#biases[row] ?? 0,
      )
    );
    const likelihoods = scores.map((score) => Math.fround(Math.exp(score - Math.max(...scores))));
    const sum = likelihoods.reduce((total, value) => Math.fround(total + value), 0);
    rows.forEach((weights, row) => {
      const share = Math.fround((likelihoods[row] ?? 0) / sum);
      const change = Math.fround(0.05 * (share - (row === label ? 1 : 0)));
      inputs.forEach((input, index) => {
        weights[index] = (weights[index] ?? 0) - change * input;
      });
      this.#biases[row] = (this.#biases[row] ?? 0) - change;
    });
    return Math.fround(-Math.log(Math.max((likelihoods[label] ?? 0) / sum, 1e-9)));
  }
}

function batchOf(size: number, random: Xoshiro128): Batch {
  const features = Uint8Array.from({ length: size * FEATURES }, () => random.below(256));
  const labels = Uint8Array.from({ length: size }, () => random.below(CLASSES));
  labels.forEach((label, sample) => features[sample * FEATURES] = label * 25);
  return { size, features, labels, keys: [] };
}

Deno.test("WebgpuSoftmax has the losses of 32-bit floats on the CPU, batch by batch", async () => {
  using model = await WebgpuSoftmax.open(navigator.gpu, 42, BATCH);
  ok(model.adapter !== "", model.adapter);
  const reference = new FloatSoftmax(42);
  const random = Xoshiro128.seeded(7, 0);
  for (let step = 0; step < STEPS; step += 1) {
    // Not every batch is full: what is left of an earlier one must not be learnt again.
    const batch = batchOf(step % 5 === 4 ? 3 : BATCH, random);
    const [loss, expected] = [await model.step(batch), reference.step(batch)];
    ok(Math.abs(loss - expected) < TOLERANCE, `step ${step}: ${loss}, on the CPU ${expected}`);
  }
});

Deno.test("WebgpuSoftmax stays finite where an image is hopeless", async () => {
  using model = await WebgpuSoftmax.open(navigator.gpu, 3, 2);
  const features = new Uint8Array(2 * FEATURES).fill(255);
  const white = { size: 2, features, labels: Uint8Array.of(0, 1), keys: [] };
  for (let step = 0; step < 20; step += 1) ok(Number.isFinite(await model.step(white)));
});

Deno.test("forge --model webgpu trains as the CPU does", async () => {
  const directory = await Deno.makeTempDir({ prefix: "warpdrive-forge-" });
  try {
    await writeShards(directory, [0, 1], { samples: 100, imageBytes: 2_000 });
    const args = ["--train-root", directory, "--steps", "20", "--batch-size", "16"];
    const cpu = await forgeRun(directory, ...args);
    const gpu = await forgeRun(directory, ...args, "--model", "webgpu");
    equal(gpu.order, cpu.order);
    equal(gpu.losses.length, 20);
    for (const [step, loss] of gpu.losses.entries()) {
      const difference = Math.abs(Number(loss) - Number(cpu.losses[step]));
      ok(difference < TOLERANCE, `step ${step}: ${loss}, on the CPU ${cpu.losses[step]}`);
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("forge --model webgpu says what is missing where there is no adapter", async () => {
  const directory = await Deno.makeTempDir({ prefix: "warpdrive-forge-" });
  try {
    await writeShards(directory, [0], { samples: 1, imageBytes: 100 });
    const args = ["forge", "--train-root", directory, "--model", "webgpu"];
    // A kind of driver that no Linux has.
    const variables = { DENO_WEBGPU_BACKEND: "dx12" };
    const { code, stderr } = await programCommand(args, directory, variables).output();
    const said = new TextDecoder().decode(stderr);
    equal(code, 1, said);
    match(said, /^Cannot train with --model "webgpu": this machine has no WebGPU adapter$/m);
    match(said, /^Hint: Install a Vulkan driver \(mesa-vulkan-drivers .*--model softmax$/m);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
