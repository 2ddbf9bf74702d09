/**
 * Reads shards ahead, several at once, and hands their samples on in the order of the shards.
 *
 *     next ──worker free, bytes left──▶ begun ──its turn, all samples taken──▶ consumed
 *
 * Workers are faster or slower than one another; what arrives before its turn waits here. The bound
 * counts whole shards as they are on disk, which is more than what waits: of an image only its
 * features leave the worker.
 */
import { assert } from "../../cache/platform/assert.ts";
import { CommandError } from "../../cache/platform/exit.ts";
import type { SampleChunk, ShardAnswer } from "./shard_messages.ts";
import type { Shard } from "./shards.ts";

/** How far ahead the loader reads. */
export interface LoaderSettings {
  /** Shards read at once. */
  readonly workers: number;
  /** Bytes of shards begun and not consumed; one shard is always read. */
  readonly readAheadBytes: number;
  /** Is told of each shard of which the last sample was handed on. */
  readonly onConsumed: (samples: number) => void;
}

/** A shard that was begun, with the samples that wait for their turn. */
class BegunShard {
  readonly shard: Shard;
  readonly #waiting: SampleChunk[] = [];
  #outcome: { readonly error: Error | null } | null = null;
  #wake: () => void = () => {};

  constructor(shard: Shard) {
    this.shard = shard;
  }

  add(chunk: SampleChunk): void {
    this.#waiting.push(chunk);
    this.#wake();
  }

  /** No more samples will come. */
  end(error: Error | null): void {
    this.#outcome ??= { error };
    this.#wake();
  }

  /** The next samples; null behind the last ones. */
  async next(signal: AbortSignal): Promise<SampleChunk | null> {
    while (true) {
      signal.throwIfAborted();
      const chunk = this.#waiting.shift();
      if (chunk !== undefined) return chunk;
      if (this.#outcome !== null) {
        if (this.#outcome.error !== null) throw this.#outcome.error;
        return null;
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      const wake = () => resolve();
      this.#wake = wake;
      signal.addEventListener("abort", wake, { once: true });
      await promise;
      signal.removeEventListener("abort", wake);
    }
  }
}

/** Reads the shards of an endless order. Dispose it to end its workers. */
export class ShardLoader implements Disposable {
  readonly #settings: LoaderSettings;
  readonly #order: Iterator<Shard, never>;
  readonly #idle: Worker[] = [];
  readonly #workers: Worker[] = [];
  /** In the order of their turns. */
  readonly #begun: BegunShard[] = [];
  #begunBytes = 0;
  #next: Shard;

  constructor(order: Iterator<Shard, never>, settings: LoaderSettings) {
    this.#order = order;
    this.#settings = settings;
    this.#next = order.next().value;
  }

  /** The samples of all shards, in order, some at a time. Ends only by an error or `signal`. */
  async *chunks(signal: AbortSignal): AsyncGenerator<SampleChunk, never> {
    while (true) {
      this.#beginMore();
      const [current] = this.#begun;
      assert(current !== undefined, "A shard is always begun");
      let samples = 0;
      let chunk = await current.next(signal);
      while (chunk !== null) {
        samples += chunk.keys.length;
        yield chunk;
        chunk = await current.next(signal);
      }
      this.#begun.shift();
      this.#begunBytes -= current.shard.sizeBytes;
      this.#settings.onConsumed(samples);
    }
  }

  [Symbol.dispose](): void {
    for (const worker of this.#workers) worker.terminate();
  }

  /** Gives shards to free workers as far as the bound allows. */
  #beginMore(): void {
    const { readAheadBytes } = this.#settings;
    while (
      this.#begun.length === 0 || this.#begunBytes + this.#next.sizeBytes <= readAheadBytes
    ) {
      const worker = this.#freeWorker();
      if (worker === null) return;
      this.#begin(worker, this.#next);
      this.#next = this.#order.next().value;
    }
  }

  #freeWorker(): Worker | null {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.#workers.length >= this.#settings.workers) return null;
    const worker = new Worker(new URL("./shard_worker.ts", import.meta.url), { type: "module" });
    this.#workers.push(worker);
    return worker;
  }

  #begin(worker: Worker, shard: Shard): void {
    const begun = new BegunShard(shard);
    this.#begun.push(begun);
    this.#begunBytes += shard.sizeBytes;
    const done = (error: Error | null) => {
      begun.end(error);
      this.#idle.push(worker);
      if (error === null) this.#beginMore();
    };
    worker.onmessage = ({ data }: MessageEvent<ShardAnswer>) => {
      if (data.kind === "samples") begun.add(data.chunk);
      else done(data.kind === "end" ? null : unreadable(shard, data.message));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      begun.end(unreadable(shard, event.message));
    };
    worker.postMessage({ path: shard.path });
  }
}

function unreadable({ path }: Shard, reason: string): CommandError {
  return new CommandError(
    "failed",
    `Cannot train from shard "${path}": ${reason}`,
    'Look at all shards with "warpdrive forge dataset check DIRECTORY"',
  );
}
