/**
 * Room in the cache: what may enter, what has to leave for it, and what the disk itself allows.
 *
 * Bytes are charged before they are written: an object of ordinary size with all of its bytes, so
 * that it becomes complete or stays out; one larger than a sixteenth of the cache as it grows.
 */
import type { CachedObject } from "./cached_object.ts";
import type { Clock } from "./platform/clock.ts";
import { identityHash } from "./platform/identity_hash.ts";
import type { ObjectKey, Residency } from "./residency.ts";

/** Above this share of the cache an object is charged as it grows. */
const LARGE_SHARE = 1 / 16;
/** Share of the disk that stays free, whatever `max_size` says. */
const FREE_SHARE_MIN = 0.05;
/** How long an answer of the disk about its free space is believed. */
const FREE_SPACE_MS = 1_000;

/** Space on the disk of the cache, in bytes. */
export interface DiskSpace {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** What space accounting needs. */
export interface CacheSpaceDeps {
  readonly residency: Residency;
  readonly capacityBytes: number;
  readonly clock: Clock;
  /** Asks the disk, on a thread. */
  readonly measure: () => Promise<DiskSpace>;
  /** Takes an object out of the cache. */
  readonly evict: (key: ObjectKey) => void;
}

/** The residency key of an object version. */
export function residencyKey(backend: string, path: string, version: string): ObjectKey {
  return identityHash(identityHash(identityHash(0, backend), path), version);
}

/** Decides about room. */
export class CacheSpace {
  readonly #deps: CacheSpaceDeps;
  /** Bytes of files that were evicted while open: they are freed on close. */
  #lingeringBytes = 0;
  #disk: DiskSpace | null = null;
  #measuredMs = Number.NEGATIVE_INFINITY;

  constructor(deps: CacheSpaceDeps) {
    this.#deps = deps;
  }

  /** Bytes charged and bytes of evicted files that are still open. */
  get usedBytes(): number {
    return this.#deps.residency.usedBytes + this.#lingeringBytes;
  }

  /** Makes room for `bytes` more of `object`; false when it is not to be kept. */
  async reserve(object: CachedObject, bytes: number): Promise<boolean> {
    if (object.admission.kind === "refused") return false;
    const size = object.entry.sizeBytes;
    const isLarge = size > this.#deps.capacityBytes * LARGE_SHARE;
    const charged = object.admission.kind === "admitted" ? object.admission.chargedBytes : 0;
    const charge = isLarge ? charged + bytes : size;
    if (charge === charged) return true;
    if (!await this.#diskHasRoom(charge - charged)) return false;
    if (this.#lingeringBytes + charge > this.#deps.capacityBytes) return false;
    const decision = this.#deps.residency.admit(object.key, charge);
    if (decision.kind === "refuse") {
      // A large object keeps what it has; any other is refused as a whole until it is opened again.
      if (!isLarge) object.admission = { kind: "refused" };
      return false;
    }
    object.admission = { kind: "admitted", chargedBytes: charge };
    for (const key of decision.evict) this.#deps.evict(key);
    return true;
  }

  /** Bytes of an evicted object that is still open, or (negative) was closed. */
  linger(bytes: number): void {
    this.#lingeringBytes += bytes;
  }

  async #diskHasRoom(bytes: number): Promise<boolean> {
    const { clock, measure, residency, evict } = this.#deps;
    if (this.#disk === null || clock.monotonicMs() - this.#measuredMs > FREE_SPACE_MS) {
      this.#measuredMs = clock.monotonicMs();
      this.#disk = await measure();
    }
    const floor = this.#disk.totalBytes * FREE_SHARE_MIN;
    const short = floor + bytes - this.#disk.freeBytes;
    if (short <= 0) {
      this.#disk = { ...this.#disk, freeBytes: this.#disk.freeBytes - bytes };
      return true;
    }
    for (const key of residency.evict(short, "any")) evict(key);
    // What that freed shows at the next look; until then reads go through.
    return false;
  }
}
