/**
 * What a user would write without a trainer: one thread, one archive after the other, and of each
 * image the bytes that the trainer takes, to learn from as it does.
 */
import { pipeline } from "node:stream";
import { extract } from "tar-stream";

const FEATURES = 256;
const CLASSES = 10;
const LEARNING_RATE = 0.05;
const READ_BYTES = 1024 * 1024;

/** Learns from the archives at `paths`; the number of images, and the loss of the last one. */
export async function plainLoop(
  paths: readonly string[],
  signal: AbortSignal,
): Promise<{ readonly images: number; readonly loss: number }> {
  const weights = new Float64Array(CLASSES * (FEATURES + 1));
  const inputs = new Float64Array(FEATURES + 1).fill(1);
  let images = 0;
  let loss = NaN;
  for (const path of paths) {
    signal.throwIfAborted();
    const archive = extract();
    pipeline(chunksOf(path), archive, () => {});
    for await (const entry of archive) {
      const parts: Uint8Array[] = [];
      for await (const part of entry) if (part instanceof Uint8Array) parts.push(part);
      const [first, ...others] = parts;
      const body = first !== undefined && others.length === 0 ? first : joined(parts);
      if (entry.header.name.endsWith(".cls")) {
        loss = learn(weights, inputs, Number(new TextDecoder().decode(body)));
        images += 1;
        continue;
      }
      const stride = Math.max(1, Math.floor(body.length / FEATURES));
      for (let feature = 0; feature < FEATURES; feature += 1) {
        inputs[feature] = (body[feature * stride] ?? 0) / 255;
      }
    }
  }
  return { images, loss };
}

/** A step of the descent by one sample; its loss. The last input is 1, for the biases. */
function learn(weights: Float64Array, inputs: Float64Array, label: number): number {
  const width = inputs.length;
  const scores = new Float64Array(CLASSES);
  for (let row = 0; row < CLASSES; row += 1) {
    let score = 0;
    for (let index = 0; index < width; index += 1) {
      score += (weights[row * width + index] ?? 0) * (inputs[index] ?? 0);
    }
    scores[row] = score;
  }
  const largest = Math.max(...scores);
  const likelihoods = scores.map((score) => Math.exp(score - largest));
  const sum = likelihoods.reduce((total, likelihood) => total + likelihood, 0);
  for (let row = 0; row < CLASSES; row += 1) {
    const change = LEARNING_RATE * ((likelihoods[row] ?? 0) / sum - (row === label ? 1 : 0));
    for (let index = 0; index < width; index += 1) {
      const at = row * width + index;
      weights[at] = (weights[at] ?? 0) - change * (inputs[index] ?? 0);
    }
  }
  return -Math.log(Math.max((likelihoods[label] ?? 0) / sum, 1e-9));
}

function* chunksOf(path: string): Generator<Uint8Array> {
  using file = Deno.openSync(path);
  while (true) {
    const chunk = new Uint8Array(READ_BYTES);
    const bytes = file.readSync(chunk);
    if (bytes === null) return;
    yield chunk.subarray(0, bytes);
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let filled = 0;
  for (const part of parts) {
    whole.set(part, filled);
    filled += part.length;
  }
  return whole;
}
