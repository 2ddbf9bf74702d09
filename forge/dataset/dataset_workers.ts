/** Threads that write and check shards. */
import { assert } from "../../cache/platform/assert.ts";
import { CommandError } from "../../cache/platform/exit.ts";
import { Semaphore } from "../../cache/platform/limit.ts";
import type {
  CheckJob,
  DatasetAnswer,
  DatasetJob,
  DatasetOrder,
  MakeJob,
  PackJob,
  WrittenShard,
} from "./jobs.ts";
import type { ShardReport } from "./shard_check.ts";
import type { ShardTarget } from "./shard_target.ts";

/** Jobs that may wait for a thread. */
const WAITING_MAX = 1_024;

/**
 * A fixed number of threads, begun as they are needed. Dispose it to end them. They are made for
 * one run: a signal that aborts one of its jobs ends them all.
 */
export class DatasetWorkers implements AsyncDisposable {
  readonly #turns: Semaphore;
  readonly #idle: Worker[] = [];
  readonly #workers: Worker[] = [];
  readonly #running = new Set<Promise<DatasetAnswer>>();
  readonly #stop = new Int32Array(new SharedArrayBuffer(4));
  readonly #begin: () => Worker;

  /** `begin` begins a thread. */
  constructor(threads: number, begin: () => Worker) {
    this.#begin = begin;
    this.#turns = new Semaphore("dataset workers", threads, WAITING_MAX);
  }

  /** As many threads as the machine has cores, but not more than `jobs` can use. */
  static onCores(jobs: number): DatasetWorkers {
    return new DatasetWorkers(Math.min(jobs, navigator.hardwareConcurrency), beginWorker);
  }

  /** Writes a shard as a draft of `target`, which judges a failure of its disk. */
  async write(
    job: MakeJob | PackJob,
    target: Pick<ShardTarget, "notWritable">,
    signal: AbortSignal,
  ): Promise<WrittenShard> {
    const answer = await this.#run(job, signal);
    if (answer.kind === "crashed") throw crashed("write", job, answer.message);
    if (answer.kind === "failed") {
      if (answer.hint !== null) throw new CommandError("failed", answer.message, answer.hint);
      throw target.notWritable(new Error(answer.message));
    }
    assert(answer.kind === "written", "A shard to write was written");
    return answer.shard;
  }

  /** Looks at a shard. */
  async check(job: CheckJob, signal: AbortSignal): Promise<ShardReport> {
    const answer = await this.#run(job, signal);
    if (answer.kind === "crashed") throw crashed("check", job, answer.message);
    if (answer.kind === "failed") {
      throw new CommandError("failed", `Cannot check "${job.path}": ${answer.message}`, null);
    }
    assert(answer.kind === "checked", "A shard to check was checked");
    return answer.report;
  }

  /** Ends what is running: a shard that is being written is removed again by who writes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
    await Promise.allSettled(this.#running);
    for (const worker of this.#workers) worker.terminate();
  }

  async #run(job: DatasetJob, signal: AbortSignal): Promise<DatasetAnswer> {
    using _turn = await this.#turns.acquire(signal);
    const worker = this.#idle.pop() ?? this.#start();
    const answer = answerOf(worker, { job, stop: this.#stop });
    const end = () => this.#end();
    this.#running.add(answer);
    signal.addEventListener("abort", end, { once: true });
    try {
      const outcome = await answer;
      // One that crashed would never answer again.
      if (outcome.kind !== "crashed") this.#idle.push(worker);
      signal.throwIfAborted();
      return outcome;
    } finally {
      signal.removeEventListener("abort", end);
      this.#running.delete(answer);
    }
  }

  #end(): void {
    Atomics.store(this.#stop, 0, 1);
  }

  #start(): Worker {
    const worker = this.#begin();
    this.#workers.push(worker);
    return worker;
  }
}

function beginWorker(): Worker {
  return new Worker(new URL("./dataset_worker.ts", import.meta.url), { type: "module" });
}

function crashed(action: string, { path }: DatasetJob, message: string): CommandError {
  return new CommandError(
    "failed",
    `Cannot ${action} "${path}": its thread crashed: ${message}`,
    null,
  );
}

function answerOf(worker: Worker, order: DatasetOrder): Promise<DatasetAnswer> {
  const { promise, resolve } = Promise.withResolvers<DatasetAnswer>();
  worker.onmessage = ({ data }: MessageEvent<DatasetAnswer>) => resolve(data);
  worker.onerror = (event) => {
    event.preventDefault();
    resolve({ kind: "crashed", message: event.message });
  };
  worker.postMessage(order);
  return promise;
}
