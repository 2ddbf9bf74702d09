/**
 * Rereads what is cached and compares it with its checksums, whether this process has done so
 * before or not: bytes that were right when they were verified may have been damaged since.
 */
import type { CacheHealth } from "../disk/cache_health.ts";
import type { CachedObject } from "../object/cached_object.ts";
import type { CachedRow } from "../index/rows.ts";

/** Objects read back at once: readers of the mount need the disk as well. */
const OBJECTS_MAX = 2;

/** How far a verification has come. */
export interface VerifyProgress {
  readonly objects: number;
  /** Bytes that have their checksums. */
  readonly bytes: number;
  /** Bytes that had not, or were gone; they are fetched again when somebody reads them. */
  readonly damagedBytes: number;
  readonly damagedObjects: number;
}

/** How a verification ended. */
export type VerifyOutcome =
  | { readonly kind: "verified"; readonly found: VerifyProgress }
  /** The disk of the cache failed: what was not read back by then is not known. */
  | { readonly kind: "disk failed"; readonly found: VerifyProgress; readonly reason: string };

/** Is told how a verification goes. */
export interface VerifyObserver {
  /** One more object has been read back. */
  readonly progress: (found: VerifyProgress) => void;
  /** That object was damaged; what is bad of it is dropped. */
  readonly damaged: (row: CachedRow, bytes: number) => void;
}

/** What verifying works with. */
export interface CacheVerifierDeps {
  readonly health: Pick<CacheHealth, "state">;
  /** Opens a cached object for a look; it is the verifier's to close. */
  readonly look: (row: CachedRow) => Promise<CachedObject>;
  /** All of the object has its checksums. */
  readonly trusted: (object: CachedObject) => void;
  /** Whether the object of `row` is in the cache and not on its way out. */
  readonly isResident: (row: CachedRow) => boolean;
}

/** Verifies. */
export class CacheVerifier {
  readonly #deps: CacheVerifierDeps;

  constructor(deps: CacheVerifierDeps) {
    this.#deps = deps;
  }

  /** Verifies the objects of `rows`; what is bad is dropped, counted and logged. */
  async verify(
    rows: AsyncIterable<CachedRow>,
    observer: VerifyObserver,
    signal: AbortSignal,
  ): Promise<VerifyOutcome> {
    const { health } = this.#deps;
    let found: VerifyProgress = { objects: 0, bytes: 0, damagedBytes: 0, damagedObjects: 0 };
    const iterator = rows[Symbol.asyncIterator]();
    const work = async () => {
      for (;;) {
        signal.throwIfAborted();
        if (health.state.kind !== "working") return;
        const { value: row, done } = await iterator.next();
        if (done === true) return;
        if (!this.#deps.isResident(row)) continue;
        const damagedBytes = await this.#verifyObject(row, signal);
        if (damagedBytes === null) return;
        found = {
          objects: found.objects + 1,
          bytes: found.bytes + row.cachedBytes - damagedBytes,
          damagedBytes: found.damagedBytes + damagedBytes,
          damagedObjects: found.damagedObjects + (damagedBytes > 0 ? 1 : 0),
        };
        if (damagedBytes > 0) observer.damaged(row, damagedBytes);
        observer.progress(found);
      }
    };
    // Each asks for its next row when it is done with the last: the generator answers in order.
    await Promise.all(Array.from({ length: OBJECTS_MAX }, work));
    const { state } = health;
    if (state.kind === "working") return { kind: "verified", found };
    return { kind: "disk failed", found, reason: state.reason };
  }

  /** Bytes of the object that are damaged; null when the disk failed, and nobody knows. */
  async #verifyObject(row: CachedRow, signal: AbortSignal): Promise<number | null> {
    const { look, trusted, health, isResident } = this.#deps;
    const object = await look(row);
    try {
      // A file that was missing, cut or replaced was dropped as it was opened.
      if (object.row !== row.id) return isResident(row) ? null : row.cachedBytes;
      const before = object.stored.map.presentBytes;
      await object.stored.recheck(signal);
      if (health.state.kind !== "working") return null;
      if (object.admission.kind === "evicted") return isResident(row) ? 0 : before;
      trusted(object);
      // Readers may have added to it meanwhile.
      return Math.max(0, before - object.stored.map.presentBytes);
    } finally {
      object.close();
    }
  }
}
