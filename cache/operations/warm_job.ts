/**
 * Brings whole objects into the cache before somebody reads them.
 *
 * What is warmed is admitted however seldom it was read: it displaces what is neither open, nor
 * pinned, nor planned, the least valuable first. It never displaces what the same job brought in,
 * so a job that asks for more than there is room ends with the first part of it cached, and says
 * so. What is there already is not fetched: a job that was stopped goes on when it is begun again.
 */
import type { ObjectEntry } from "../backend/backend.ts";
import type { CacheHealth } from "../disk/cache_health.ts";
import type { CachedObject } from "../object/cached_object.ts";
import { eachBlock } from "../fetch/fetch_window.ts";
import type { FetchScheduler } from "../fetch/fetch.ts";
import type { ObjectToOpen } from "../object/object_loader.ts";
import type { ObjectKey } from "../residency/residency.ts";
import type { ResidentHolds } from "../residency/resident_holds.ts";

/** An object to warm. */
export interface ObjectToWarm {
  readonly backend: string;
  readonly path: string;
  readonly entry: ObjectEntry;
  /** Who asked for it: it is charged to them. */
  readonly uid: number;
}

/** What became of it. */
export type WarmOutcome =
  /** All of it is cached. */
  | { readonly kind: "warm"; readonly bytesFetched: number; readonly bytesSkipped: number }
  /** All that could leave for it has left, or none of it would do. */
  | { readonly kind: "no room"; readonly bytesNeeded: number }
  /** It was fetched, and is not cached as a whole: somebody took it out. */
  | { readonly kind: "not kept"; readonly reason: string }
  /** The disk of the cache fails or failed meanwhile: it may be tried again. */
  | { readonly kind: "bypassed"; readonly reason: string }
  /** Nothing of the backend is read through the cache, as its files are on this machine. */
  | { readonly kind: "not cached" };

/** What warming works with. */
export interface WarmJobDeps {
  readonly health: Pick<CacheHealth, "state">;
  readonly holds: ResidentHolds;
  /** Where the objects of a backend come from; null when they are not read through the cache. */
  readonly schedulerOf: (backend: string) => FetchScheduler | null;
  /** Opens an object for a look; it is the job's to close. */
  readonly look: (wanted: ObjectToOpen) => Promise<CachedObject>;
  /** Makes room for all of an object. */
  readonly claim: (object: CachedObject, signal: AbortSignal) => Promise<boolean>;
  readonly blockBytes: number;
}

/** One job; to be disposed when it has ended, from when on what it brought in may be evicted. */
export class WarmJob implements Disposable {
  readonly #deps: WarmJobDeps;
  readonly #held = new Set<ObjectKey>();

  constructor(deps: WarmJobDeps) {
    this.#deps = deps;
  }

  /**
   * Brings all of an object in. Several may be under way at once; each has a few blocks in flight.
   *
   * @param onProgress Is told of bytes that have been fetched since it was last told.
   * @throws {BackendError} when the store fails; the reason of `signal` when it aborts.
   */
  async warm(
    wanted: ObjectToWarm,
    onProgress: (bytesFetched: number) => void,
    signal: AbortSignal,
  ): Promise<WarmOutcome> {
    const { schedulerOf, look } = this.#deps;
    const scheduler = schedulerOf(wanted.backend);
    if (scheduler === null) return { kind: "not cached" };
    const object = await look({ ...wanted, scheduler });
    try {
      return await this.#fill(object, onProgress, signal);
    } finally {
      object.close();
    }
  }

  /** Ends the job: what it brought in is worth as much as what was used lately, and no more. */
  [Symbol.dispose](): void {
    for (const key of this.#held) this.#deps.holds.release(key);
    this.#held.clear();
  }

  async #fill(
    object: CachedObject,
    onProgress: (bytesFetched: number) => void,
    signal: AbortSignal,
  ): Promise<WarmOutcome> {
    const { health, claim, blockBytes } = this.#deps;
    const { sizeBytes } = object.entry;
    const { map } = object.stored;
    // Nothing of it has to be anywhere.
    if (sizeBytes === 0) return { kind: "warm", bytesFetched: 0, bytesSkipped: 0 };
    if (health.state.kind !== "working") return { kind: "bypassed", reason: health.state.reason };
    if (isEvicted(object)) return STILL_OPEN;
    const bytesSkipped = map.presentBytes;
    const bytesNeeded = sizeBytes - bytesSkipped;
    if (!await claim(object, signal)) {
      return isEvicted(object) ? STILL_OPEN : { kind: "no room", bytesNeeded };
    }
    this.#hold(object.key);
    await eachBlock({ offset: 0, end: sizeBytes }, blockBytes, async ({ offset, end }) => {
      const missingBytes = map.missingBytes(offset, end);
      if (missingBytes === 0) return;
      await object.prefetch(offset, end, "warm", signal);
      onProgress(missingBytes);
    });
    await object.kept(signal);
    if (map.complete && !isEvicted(object)) {
      return { kind: "warm", bytesFetched: bytesNeeded, bytesSkipped };
    }
    if (isEvicted(object)) return { kind: "not kept", reason: "it was evicted meanwhile" };
    const { state } = this.#deps.health;
    const reason = state.kind === "bypassed" ? state.reason : "the disk of the cache failed";
    return { kind: "bypassed", reason };
  }

  #hold(key: ObjectKey): void {
    if (this.#held.has(key)) return;
    this.#held.add(key);
    this.#deps.holds.hold(key);
  }
}

/** Its file has no name any more, whatever is in it. */
function isEvicted({ admission }: CachedObject): boolean {
  return admission.kind === "evicted";
}

const STILL_OPEN = {
  kind: "not kept",
  reason: "it was evicted, and somebody still has it open",
} as const;
