/**
 * Whether the cache's disk works.
 *
 *     working ──failed──▶ bypassed ──probe succeeds──▶ working
 *
 * Bypassed, nothing is written and nothing new is looked up: reads go to the store.
 */
import { CacheDiskError } from "./cache_disk_error.ts";
import type { CacheDirectory } from "./cache_directory.ts";
import type { Clock } from "../platform/clock.ts";
import type { TaskGroup } from "../platform/limit.ts";
import { describeError, type Logger } from "../platform/log.ts";

/** Is told that the disk is full. */
type FullListener = () => void;

/** Pause between probes of a disk that failed. */
const PROBE_MS = 1_000;

/** Whether the cache keeps what is read. */
export type CacheState =
  | { readonly kind: "working" }
  | { readonly kind: "bypassed"; readonly sinceMs: number; readonly reason: string };

/** What watching the disk needs. */
export interface CacheHealthDeps {
  readonly directory: Pick<CacheDirectory, "probe">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tasks: TaskGroup;
  /** Aborts when the cache is closed. */
  readonly signal: AbortSignal;
}

/** Watches the disk of a cache. */
export class CacheHealth {
  readonly #deps: CacheHealthDeps;
  readonly #onFull: FullListener[] = [];
  #state: CacheState = { kind: "working" };

  constructor(deps: CacheHealthDeps) {
    this.#deps = deps;
  }

  get state(): CacheState {
    return this.#state;
  }

  /** Calls `listener` each time the disk turns out to be full: nobody else makes room. */
  whenFull(listener: FullListener): void {
    this.#onFull.push(listener);
  }

  /** An operation on the disk failed: the cache is bypassed until a probe succeeds. */
  failed(error: unknown): void {
    if (this.#deps.signal.aborted || this.#state.kind === "bypassed") return;
    const reason = error instanceof CacheDiskError ? error.reason : describeError(error);
    this.#state = { kind: "bypassed", sinceMs: this.#deps.clock.wallMs(), reason };
    this.#deps.logger.error("Read past the cache: its disk failed", { error });
    this.#tellIfFull(error);
    this.#deps.tasks.add(this.#probe());
  }

  async #probe(): Promise<void> {
    const { clock, signal, directory, logger } = this.#deps;
    while (!signal.aborted && this.#state.kind === "bypassed") {
      try {
        await clock.sleep(PROBE_MS, signal);
        await directory.probe(signal);
        this.#state = { kind: "working" };
        logger.info("Keep what is read again: the disk of the cache works");
      } catch (error) {
        if (!(error instanceof CacheDiskError) && !signal.aborted) throw error;
        this.#tellIfFull(error);
      }
    }
  }

  #tellIfFull(error: unknown): void {
    if (!(error instanceof CacheDiskError) || error.code !== "full") return;
    for (const listener of this.#onFull) listener();
  }
}
