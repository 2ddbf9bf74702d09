/** Objects that stay in the cache until somebody unpins them; at most a share of its capacity. */
import type { ObjectKey } from "./residency.ts";
import type { ResidentHolds } from "./resident_holds.ts";

/** Of the capacity: the rest still serves those who pinned nothing. */
const PINNED_SHARE_MAX = 0.9;

/** Pinned objects by key. */
export class PinnedObjects {
  readonly #holds: ResidentHolds;
  readonly #bytesMax: number;
  readonly #sizes = new Map<ObjectKey, number>();
  #bytes = 0;

  constructor(holds: ResidentHolds, capacityBytes: number) {
    this.#holds = holds;
    this.#bytesMax = PINNED_SHARE_MAX * capacityBytes;
  }

  /** Sizes of all pinned objects together: what of them is missing counts, too. */
  get bytes(): number {
    return this.#bytes;
  }

  has(key: ObjectKey): boolean {
    return this.#sizes.has(key);
  }

  /** Whether an object of `sizeBytes` may be pinned as well. */
  hasRoom(sizeBytes: number): boolean {
    return this.#bytes + sizeBytes <= this.#bytesMax;
  }

  pin(key: ObjectKey, sizeBytes: number): void {
    if (this.#sizes.has(key)) return;
    this.#sizes.set(key, sizeBytes);
    this.#bytes += sizeBytes;
    this.#holds.hold(key);
  }

  /** Ends a pin, because somebody asked for it or the object left the cache. */
  unpin(key: ObjectKey): void {
    const sizeBytes = this.#sizes.get(key);
    if (sizeBytes === undefined) return;
    this.#sizes.delete(key);
    this.#bytes -= sizeBytes;
    this.#holds.release(key);
  }
}
