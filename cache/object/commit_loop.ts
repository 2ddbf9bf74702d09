/**
 * Commits what changed every now and then, and closes objects that nobody has open once their
 * changes are committed: opened again before that, they would be found as the index had them.
 */
import type { CacheCommits } from "./cache_commits.ts";
import type { CacheCounts } from "../operations/cache_counts.ts";
import type { CacheHealth } from "../disk/cache_health.ts";
import type { CachedObject } from "./cached_object.ts";
import type { CacheIndex } from "../index/cache_index.ts";
import type { Clock } from "../platform/clock.ts";

/** How long changes are gathered before they are committed together. */
const COMMIT_MS = 500;
/** Idle objects, each with open descriptors, before a commit is made at once. */
const IDLE_MAX = 1_000;

/** What the loop works with. */
export interface CommitLoopDeps {
  readonly commits: CacheCommits;
  readonly counts: CacheCounts;
  readonly index: Pick<CacheIndex, "commit" | "count">;
  readonly health: CacheHealth;
  readonly clock: Clock;
  /** Nothing of the object waits any more: it may go. */
  readonly close: (object: CachedObject) => void;
  /** Called after each commit. */
  readonly committed: () => void;
}

/** Commits and closes. */
export class CommitLoop {
  readonly #deps: CommitLoopDeps;
  readonly #idle = new Set<CachedObject>();
  #early = new AbortController();

  constructor(deps: CommitLoopDeps) {
    this.#deps = deps;
  }

  /** Nobody has `object` open any more. */
  idle(object: CachedObject): void {
    this.#idle.add(object);
    if (this.#idle.size >= IDLE_MAX) this.#early.abort();
  }

  /** Takes `object` back into use; whether it was idle. */
  revive(object: CachedObject): boolean {
    return this.#idle.delete(object);
  }

  /** Commits until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const early = AbortSignal.any([signal, this.#early.signal]);
      await this.#deps.clock.sleep(COMMIT_MS, early).catch(() => undefined);
      this.#early = new AbortController();
      await this.commit();
      this.#deps.committed();
    }
  }

  /** Commits what changed, in one transaction, and closes what was idle before it. */
  async commit(): Promise<void> {
    const { commits, counts, index, health, close } = this.#deps;
    const changes = commits.take();
    const idle = [...this.#idle];
    try {
      if (changes.length > 0) await index.commit(changes);
      const counted = counts.take();
      if (counted.length > 0) await index.count(counted);
    } catch (error) {
      health.failed(error);
    }
    for (const object of idle) {
      // Used again meanwhile, one waits for the next commit.
      if (!commits.has(object) && this.#idle.delete(object)) close(object);
    }
  }
}
