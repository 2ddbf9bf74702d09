/**
 * Takes objects off the disk, in the background and many at a time.
 *
 * The row goes first: without it the file is an orphan, which the next start finds. On a disk that
 * is full the index cannot even note a removal, so what failed once is done the other way round: a
 * row without its file is dropped when it is opened. What a removal could not end is tried again
 * until the cache is closed, and is restored by the next process.
 */
import type { CacheDirectory } from "./cache_directory.ts";
import type { CacheHealth } from "./cache_health.ts";
import type { CacheIndex } from "../index/cache_index.ts";
import { type DataFileDeps, unlinkDataFile } from "./data_file.ts";
import type { Clock } from "../platform/clock.ts";
import type { TaskGroup } from "../platform/limit.ts";

/** Rows removed in one transaction of the index. */
const BATCH_ROWS = 256;
/** Pause before a removal that failed is tried again. */
const RETRY_MS = 1_000;
const NEVER = new AbortController().signal;

/** What removing works with. */
export interface ObjectRemovalsDeps {
  readonly directory: Pick<CacheDirectory, "dataPath">;
  readonly index: Pick<CacheIndex, "remove">;
  readonly health: Pick<CacheHealth, "failed">;
  readonly files: DataFileDeps;
  readonly clock: Clock;
  readonly tasks: TaskGroup;
  /** Aborts when the cache is closed: what waits for a second try is left to the next process. */
  readonly signal: AbortSignal;
}

/** Objects on their way off the disk. */
export class ObjectRemovals {
  readonly #deps: ObjectRemovalsDeps;
  /** Rows whose index row and data file are not both gone yet. */
  readonly #rows = new Set<number>();
  #isRunning = false;

  constructor(deps: ObjectRemovalsDeps) {
    this.#deps = deps;
  }

  /** Objects that are not gone yet. */
  get size(): number {
    return this.#rows.size;
  }

  /** Whether the object of `row` is on its way out: whatever the index says, it is not used. */
  has(row: number): boolean {
    return this.#rows.has(row);
  }

  add(row: number): void {
    this.#rows.add(row);
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#deps.tasks.add(this.#run());
  }

  async #run(): Promise<void> {
    const { health, clock, signal } = this.#deps;
    try {
      // What is evicted together comes in one turn of the event loop, and goes in one batch.
      await Promise.resolve();
      let first: "row" | "file" = "row";
      while (this.#rows.size > 0) {
        const batch = [...this.#rows.values().take(BATCH_ROWS)];
        try {
          await this.#remove(batch, first);
          first = "row";
        } catch (error) {
          health.failed(error);
          first = "file";
          await clock.sleep(RETRY_MS, signal);
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#isRunning = false;
    }
  }

  async #remove(batch: readonly number[], first: "row" | "file"): Promise<void> {
    const { index } = this.#deps;
    if (first === "row") await index.remove(batch);
    await this.#unlink(batch);
    if (first === "file") await index.remove(batch);
    for (const row of batch) this.#rows.delete(row);
  }

  /** The pool of disk threads bounds how many are unlinked at once. */
  async #unlink(batch: readonly number[]): Promise<void> {
    const { directory, files } = this.#deps;
    const results = await Promise.allSettled(
      batch.map((row) => unlinkDataFile(directory.dataPath(row), files, NEVER)),
    );
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }
}
