/** Readers on threads of their own, and passes in which all of them read at once. */
import type { Clock } from "../../cache/platform/clock.ts";
import { CommandError } from "../../cache/platform/exit.ts";
import { LatencyHistogram } from "./latency_histogram.ts";
import type { DigestName } from "./digest.ts";
import type { BenchFile, Pattern } from "./pattern.ts";
import { ToldDigests } from "./told_digests.ts";
import type { FileDigest, ReaderAnswer, ReaderQuestion } from "./read_messages.ts";

/** What is read, how, and by how many. */
export interface Workload {
  readonly pattern: Pattern;
  readonly readers: number;
  readonly chunkBytes: number;
  readonly direct: boolean;
  readonly seed: number;
  readonly digests: readonly DigestName[];
  /** The directory under test, and the baseline where there is one. */
  readonly sets: readonly (readonly BenchFile[])[];
}

/** What the readers read in one pass. */
export interface Pass {
  readonly bytes: number;
  readonly seconds: number;
  readonly latencies: LatencyHistogram;
  readonly digests: readonly FileDigest[];
}

/** A running set of readers. Dispose it to end their threads. */
export class Readers implements Disposable {
  readonly #workers: readonly Worker[];
  readonly #stop: Int32Array<SharedArrayBuffer>;
  readonly #clock: Clock;

  private constructor(
    workers: readonly Worker[],
    stop: Int32Array<SharedArrayBuffer>,
    clock: Clock,
  ) {
    this.#workers = workers;
    this.#stop = stop;
    this.#clock = clock;
  }

  /** Starts the readers of `workload`; they wait until they are told to read. */
  static async start(workload: Workload, clock: Clock): Promise<Readers> {
    const { pattern, readers, chunkBytes, direct, seed, digests, sets } = workload;
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const workers = Array.from(
      { length: readers },
      () => new Worker(new URL("./read_worker.ts", import.meta.url), { type: "module" }),
    );
    const started = new Readers(workers, stop, clock);
    try {
      await Promise.all(workers.map((worker, reader) => {
        const place = { reader, readers, seed };
        const settings = { place, pattern, chunkBytes, direct, digests, sets, stop };
        return asked(worker, { kind: "setup", settings });
      }));
      return started;
    } catch (error) {
      started[Symbol.dispose]();
      throw error;
    }
  }

  /** All readers read from `set` for `durationMs`. */
  async read(set: number, durationMs: number, signal: AbortSignal): Promise<Pass> {
    Atomics.store(this.#stop, 0, 0);
    const startedMs = this.#clock.monotonicMs();
    const over = new AbortController();
    const reading = this.#workers.map((worker) =>
      asked(worker, { kind: "read", set }).catch((error: unknown) => {
        // The others need not go on to the end for nothing.
        over.abort(error);
        throw error;
      })
    );
    const settled = Promise.allSettled(reading);
    try {
      await this.#clock.sleep(durationMs, AbortSignal.any([signal, over.signal]));
    } catch (error) {
      if (!over.signal.aborted) throw error;
    } finally {
      Atomics.store(this.#stop, 0, 1);
    }
    // A read that hangs is not waited for by somebody who wants to stop.
    signal.throwIfAborted();
    await settled;
    const seconds = (this.#clock.monotonicMs() - startedMs) / 1_000;
    return summed(await Promise.all(reading), seconds);
  }

  [Symbol.dispose](): void {
    for (const worker of this.#workers) worker.terminate();
  }
}

function summed(answers: readonly ReaderAnswer[], seconds: number): Pass {
  const latencies = new LatencyHistogram();
  const told = new ToldDigests();
  let bytes = 0;
  for (const answer of answers) {
    if (answer.kind !== "done") continue;
    bytes += answer.bytes;
    latencies.addAll(new LatencyHistogram(answer.counts));
    for (const digest of answer.digests) told.add(digest);
  }
  return { bytes, seconds, latencies, digests: told.all };
}

async function asked(worker: Worker, question: ReaderQuestion): Promise<ReaderAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<ReaderAnswer>();
  worker.onmessage = ({ data }: MessageEvent<ReaderAnswer>) => resolve(data);
  worker.onerror = (event) => {
    event.preventDefault();
    reject(new Error(event.message));
  };
  worker.postMessage(question);
  const answer = await promise;
  if (answer.kind !== "failed") return answer;
  throw new CommandError("failed", answer.message, null);
}
