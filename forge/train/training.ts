/** The training loop: wait for a batch, let the model learn from it, and tell both times apart. */
import { createHash } from "node:crypto";
import type { Clock } from "../../cache/platform/clock.ts";
import { type Batch, batches } from "./batches.ts";
import type { Model } from "./model.ts";
import type { SampleChunk } from "./shard_messages.ts";
import { type Step, type Throughput, ThroughputMeter } from "./throughput.ts";

/** The steps since the last report. */
export interface Window extends Throughput {
  /** Steps done so far. */
  readonly step: number;
}

/** A run that is over. */
export interface Outcome extends Throughput {
  readonly wallMs: number;
  /** SHA-256 over all samples in their order: equal runs saw equal samples in equal order. */
  readonly order: string;
}

/** What a run is done with. */
export interface Training {
  readonly chunks: AsyncIterable<SampleChunk>;
  readonly model: Model;
  readonly steps: number;
  readonly batchSize: number;
  readonly logEvery: number;
  readonly clock: Clock;
  readonly onStep: (step: Step) => void;
  /** Is told of each window, the last one also when it is shorter. */
  readonly onWindow: (window: Window) => void;
}

/** Trains for `steps` steps. */
export async function train(training: Training, signal: AbortSignal): Promise<Outcome> {
  const { chunks, model, steps, batchSize, logEvery, clock, onStep, onWindow } = training;
  const window = new ThroughputMeter();
  const run = new ThroughputMeter();
  const order = createHash("sha256");
  const startedMs = clock.monotonicMs();
  let waitingMs = startedMs;
  for await (const batch of batches(chunks, batchSize)) {
    signal.throwIfAborted();
    const readyMs = clock.monotonicMs();
    const loss = await model.step(batch);
    const doneMs = clock.monotonicMs();
    const step = {
      samples: batch.size,
      dataMs: readyMs - waitingMs,
      computeMs: doneMs - readyMs,
      loss,
    };
    window.add(step);
    run.add(step);
    onStep(step);
    note(order, batch);
    if (run.steps % logEvery === 0 || run.steps === steps) {
      onWindow({ step: run.steps, ...window.take() });
    }
    if (run.steps === steps) break;
    waitingMs = clock.monotonicMs();
  }
  const wallMs = clock.monotonicMs() - startedMs;
  return { ...run.take(), wallMs, order: order.digest("hex") };
}

function note(order: ReturnType<typeof createHash>, { keys, features, labels }: Batch): void {
  order.update(keys.join("\n"));
  order.update(features);
  order.update(labels);
}
