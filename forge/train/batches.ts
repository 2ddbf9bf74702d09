/** Chunks of samples → batches of one size, across the ends of chunks and shards. */
import { FEATURES } from "./features.ts";
import type { SampleChunk } from "./shard_messages.ts";

/** Classes a model tells apart. */
export const CLASSES = 10;

/** Samples a model takes one step with. */
export interface Batch {
  readonly size: number;
  /** {@linkcode FEATURES} bytes per sample, one sample behind the other. */
  readonly features: Uint8Array<ArrayBuffer>;
  /** Class of each sample, below {@linkcode CLASSES}. */
  readonly labels: Uint8Array<ArrayBuffer>;
  readonly keys: readonly string[];
}

/** The samples of `chunks` in batches of `size`. */
export async function* batches(
  chunks: AsyncIterable<SampleChunk>,
  size: number,
): AsyncGenerator<Batch> {
  let batch = emptyBatch(size);
  for await (const chunk of chunks) {
    let taken = 0;
    while (taken < chunk.keys.length) {
      const count = Math.min(size - batch.keys.length, chunk.keys.length - taken);
      append(batch, chunk, taken, count);
      taken += count;
      if (batch.keys.length < size) continue;
      yield batch;
      batch = emptyBatch(size);
    }
  }
}

/** A batch while it grows. */
interface GrowingBatch extends Batch {
  readonly keys: string[];
}

function emptyBatch(size: number): GrowingBatch {
  return {
    size,
    features: new Uint8Array(size * FEATURES),
    labels: new Uint8Array(size),
    keys: [],
  };
}

function append(batch: GrowingBatch, chunk: SampleChunk, first: number, count: number): void {
  const filled = batch.keys.length;
  const bytes = chunk.features.subarray(first * FEATURES, (first + count) * FEATURES);
  batch.features.set(bytes, filled * FEATURES);
  for (let index = 0; index < count; index += 1) {
    batch.labels[filled + index] = classOf(chunk.labels[first + index] ?? 0);
    batch.keys.push(chunk.keys[first + index] ?? "");
  }
}

/** A label as a class: what is negative is class 0, what is too large starts over. */
export function classOf(label: number): number {
  return label < 0 ? 0 : label % CLASSES;
}
