/** What is trained: the data's way ends here, and knows nothing of what is behind. */
import type { Batch } from "./batches.ts";

/** A model in training. Another one needs no change of the data's way. */
export interface Model extends Disposable {
  /** Learns from `batch`; returns the mean loss of its samples, each taken before it was learnt. */
  step(batch: Batch): Promise<number> | number;
}
