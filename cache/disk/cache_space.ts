/**
 * Room in the cache: what may enter, what has to leave for it, and what the disk itself allows.
 *
 * Bytes are charged before they are written: an object of ordinary size with all of its bytes, so
 * that it becomes complete or stays out; one larger than a sixteenth of the cache as it grows.
 *
 * The cache is as large as `max_size` says, or as its disk has room for where that is less. Of the
 * latter a part stays free: what leaves is still on the disk when what takes its place is written,
 * and a disk at its floor takes nothing in, whatever that is worth.
 */
import type { CachedObject } from "../object/cached_object.ts";
import { type DiskNeed, missingOn, roomOn } from "./disk_floor.ts";
import type { DiskSpace } from "./disk_space.ts";
import type { Clock } from "../platform/clock.ts";
import { identityHash } from "../platform/identity_hash.ts";
import type { ObjectKey, Residency } from "../residency/residency.ts";
import { excessBytes, type Watermarks } from "./watermarks.ts";

/** Above this share of the cache an object is charged as it grows. */
const LARGE_SHARE = 1 / 16;
/** Of what its disk has room for, the cache holds so much: the rest is as large as its objects. */
const DISK_SHARE = 1 - LARGE_SHARE;
/** A disk that is full though it does not say so (a quota) is relieved of so much at least. */
const RELIEF_BYTES = 16 * 1024 * 1024;
/** Looks at a disk that is at its floor, before an object that was asked for is refused. */
const CLAIM_LOOKS_MAX = 3;
/** How long an answer of the disk about its free space is believed. */
const FREE_SPACE_MS = 1_000;

/** What the disk said, less what was promised since. */
interface Measured extends DiskSpace {
  freeBytes: number;
  freeInodes: number;
  /** Room was made because of it. */
  evicted: boolean;
}

/** What space accounting needs. */
export interface CacheSpaceDeps {
  readonly residency: Residency;
  readonly capacityBytes: number;
  readonly watermarks: Watermarks;
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
  #isTrimming = false;
  /** What residents may hold, and above what they leave at once. */
  #capacityBytes: number;
  #limitBytes: number;
  #disk: { readonly askedMs: number; readonly answer: Promise<Measured> } | null = null;

  constructor(deps: CacheSpaceDeps) {
    this.#deps = deps;
    this.#capacityBytes = deps.capacityBytes;
    this.#limitBytes = deps.capacityBytes;
  }

  /** Bytes that objects may hold together: `max_size`, or less where the disk is smaller. */
  get capacityBytes(): number {
    return this.#capacityBytes;
  }

  /** Bytes charged and bytes of evicted files that are still open. */
  get usedBytes(): number {
    return this.#deps.residency.usedBytes + this.#lingeringBytes;
  }

  /** Makes room for `bytes` more of `object`; false when they are not to be kept. */
  async reserve(object: CachedObject, bytes: number): Promise<boolean> {
    const size = object.entry.sizeBytes;
    const isLarge = size > this.#capacityBytes * LARGE_SHARE;
    // One that an earlier process left incomplete is charged with what it had, until it grows.
    if (!isLarge && chargedTo(object) >= size) return true;
    const need = { bytes: isLarge ? bytes : size, files: object.row === null ? 1 : 0 };
    if (!await this.#diskHasRoom(need, "policy")) return false;
    // Another part of the object may have been decided on meanwhile.
    const { admission } = object;
    if (admission.kind === "refused" || admission.kind === "evicted") return false;
    const charged = chargedTo(object);
    const charge = isLarge ? Math.min(size, charged + bytes) : size;
    const growth = charge - charged;
    if (growth === 0) return true;
    const { residency, evict } = this.#deps;
    if (this.#lingeringBytes > 0 && this.usedBytes + growth > this.#capacityBytes) return false;
    const decision = residency.admit(object.key, charge);
    if (decision.kind === "refuse") {
      // A large object keeps what it has; any other stays out as a whole until it is opened again.
      if (!isLarge) object.admission = { kind: "refused" };
      return false;
    }
    object.admission = { kind: "admitted", chargedBytes: charge };
    for (const key of decision.evict) evict(key);
    return true;
  }

  /** Makes room for all of `object`, which somebody asked for by name; false when there is none. */
  async claim(object: CachedObject, signal: AbortSignal): Promise<boolean> {
    const { sizeBytes } = object.entry;
    const missing = sizeBytes - object.stored.map.presentBytes;
    const need = { bytes: missing, files: object.row === null ? 1 : 0 };
    const { residency, evict, clock } = this.#deps;
    for (let looks = 1; !await this.#diskHasRoom(need, "claim"); looks += 1) {
      if (looks === CLAIM_LOOKS_MAX) return false;
      // What was evicted for it shows at the next look.
      await clock.sleep(FREE_SPACE_MS + 1, signal);
    }
    // Meanwhile it left the cache; it enters again once it has been closed.
    if (object.admission.kind === "evicted") return false;
    const decision = residency.claim(object.key, sizeBytes);
    if (decision.kind === "refuse") return false;
    object.admission = { kind: "admitted", chargedBytes: sizeBytes };
    for (const key of decision.evict) evict(key);
    return true;
  }

  /** Bytes of an evicted object that is still open, or (negative) was closed. */
  linger(bytes: number): void {
    this.#lingeringBytes += bytes;
  }

  /** Takes out a little of what nobody came back for, while there is more than there should be. */
  trim(): void {
    const { residency, watermarks, evict } = this.#deps;
    // An earlier process had more room or was killed while it took out what left, or others have
    // taken room on the disk.
    const tooManyBytes = residency.usedBytes - this.#limitBytes;
    for (const key of residency.evict(Math.max(0, tooManyBytes), "any")) evict(key);
    const bytes = excessBytes(this.usedBytes, this.#capacityBytes, watermarks, this.#isTrimming);
    const keys = bytes === 0 ? [] : residency.evict(bytes, "dead");
    // Where all that is left is alive, there is nothing to go on with.
    this.#isTrimming = keys.length > 0;
    for (const key of keys) evict(key);
  }

  /** Makes room on a disk that refused a write because it is full. */
  async relieve(): Promise<void> {
    this.#disk = null;
    const missing = missingOn(await this.#measured(), { bytes: 0, files: 1 });
    this.#evict({
      bytes: Math.max(RELIEF_BYTES, missing?.bytes ?? 0),
      files: missing?.files ?? 0,
    });
  }

  /** Bytes that the policy finds room for are made by it: others would leave for anything. */
  async #diskHasRoom(need: DiskNeed, madeBy: "policy" | "claim"): Promise<boolean> {
    const disk = await this.#measured();
    const missing = missingOn(disk, need);
    if (missing === null) {
      disk.freeBytes -= need.bytes;
      disk.freeInodes -= need.files;
      return true;
    }
    // Once per look at the disk: what this frees shows at the next one.
    if (!disk.evicted) this.#evict(madeBy === "claim" ? missing : { ...missing, bytes: 0 });
    disk.evicted = true;
    return false;
  }

  #evict({ bytes, files }: DiskNeed): void {
    const { residency, evict } = this.#deps;
    const keys = residency.evict(bytes, "any");
    while (keys.length < files) {
      const [more] = residency.evict(1, "any");
      if (more === undefined) break;
      keys.push(more);
    }
    for (const key of keys) evict(key);
  }

  /** Adapts the size of the cache to what `disk` has room for. */
  #fit(disk: DiskSpace): void {
    const { residency, capacityBytes } = this.#deps;
    const roomBytes = Math.max(0, this.usedBytes + roomOn(disk));
    this.#limitBytes = Math.min(capacityBytes, roomBytes);
    this.#capacityBytes = Math.min(capacityBytes, DISK_SHARE * roomBytes);
    residency.resize(this.#capacityBytes);
  }

  /** What the disk said last, or says now when that is too long ago. */
  #measured(): Promise<Measured> {
    const { clock, measure } = this.#deps;
    const nowMs = clock.monotonicMs();
    if (this.#disk === null || nowMs - this.#disk.askedMs > FREE_SPACE_MS) {
      const answer = measure().then((space) => {
        this.#fit(space);
        return { ...space, evicted: false };
      });
      this.#disk = { askedMs: nowMs, answer };
    }
    return this.#disk.answer;
  }
}

function chargedTo({ admission }: CachedObject): number {
  return admission.kind === "admitted" ? admission.chargedBytes : 0;
}
