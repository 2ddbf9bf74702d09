/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
/**
 * Reads shards on a thread of its own, as the worker of a data loader does: front to back, with
 * blocking reads, and out come features.
 */
import { describeError } from "../../cache/platform/log.ts";
import { fileChunks } from "./file_chunks.ts";
import { extractFeatures, FEATURES } from "./features.ts";
import type { ReadShard, ShardAnswer } from "./shard_messages.ts";
import { type Sample, tarSamples } from "./tar_samples.ts";

/** Samples in one message: two batches of the usual size. */
const CHUNK_SAMPLES = 64;

function answer(message: ShardAnswer, transferred: ArrayBuffer[]): void {
  self.postMessage(message, transferred);
}

function send(samples: readonly Sample[]): void {
  const features = new Uint8Array(samples.length * FEATURES);
  const labels = new Float64Array(samples.length);
  for (const [index, { image, label }] of samples.entries()) {
    extractFeatures(image, features.subarray(index * FEATURES, (index + 1) * FEATURES));
    labels[index] = label;
  }
  const keys = samples.map(({ key }) => key);
  answer({ kind: "samples", chunk: { keys, features, labels } }, [features.buffer, labels.buffer]);
}

function read(path: string): void {
  let samples: Sample[] = [];
  for (const sample of tarSamples(fileChunks(path))) {
    samples.push(sample);
    if (samples.length < CHUNK_SAMPLES) continue;
    send(samples);
    samples = [];
  }
  if (samples.length > 0) send(samples);
}

self.onmessage = ({ data }: MessageEvent<ReadShard>) => {
  try {
    read(data.path);
    answer({ kind: "end" }, []);
  } catch (error) {
    answer({ kind: "failed", message: describeError(error) }, []);
  }
};
