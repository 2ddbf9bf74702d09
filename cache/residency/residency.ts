/**
 * Who stays in the cache: which object versions enter, and which leave to make room.
 *
 * Pure bookkeeping over rows in memory: no clock, no files. A decision is made and booked in one
 * synchronous call, so that no victim is chosen twice; the caller deletes what it was told to.
 */

/**
 * A 53-bit hash of (backend, path, version): a safe integer, 0 or above. Of an object larger than
 * a sixteenth of the cache each block is a row of its own, with a hash of the block's number too.
 */
export type ObjectKey = number;

/** `adaptive` resists scans; `lru` is the textbook's; `none` never evicts to admit. */
export type ResidencyPolicy = "adaptive" | "lru" | "none";

/** Bounds of a residency. */
export interface ResidencySettings {
  readonly policy: ResidencyPolicy;
  /** Bytes that residents may hold together. */
  readonly capacityBytes: number;
  /** Objects that are not resident whose past is remembered; one costs about 50 bytes. */
  readonly ghostsMax: number;
}

/** Whether an object may be kept. */
export type Admission =
  /** It is resident from now on and `evict`, usually empty, is not: delete those objects. */
  | { readonly kind: "admit"; readonly evict: readonly ObjectKey[] }
  /** It is worth less than what it would displace: serve it from memory and do not write it. */
  | { readonly kind: "refuse" };

/** How far eviction may go: only objects nobody came back for, or whatever it takes. */
export type EvictionReach = "dead" | "any";

/** When an object would leave. */
export type Departure =
  /** Not before it is released: it is open or pinned. */
  | { readonly kind: "held" }
  /** In the order of the plan that uses it: those used later leave before it. */
  | { readonly kind: "planned"; readonly nextUse: number }
  /** Without need: nobody came back for it. */
  | { readonly kind: "dead" }
  /** When room is needed, after all that is worth less. */
  | { readonly kind: "ranked"; readonly worth: number };

/** What is known of a resident. */
export interface Standing {
  readonly chargeBytes: number;
  readonly departure: Departure;
}

/** The objects in the cache, in the order in which they would leave it. */
export interface Residency {
  /** Bytes charged to all residents. */
  readonly usedBytes: number;
  /** Objects resident. */
  readonly count: number;

  /**
   * Notes a read of the object, resident or not, wherever its bytes came from. Call it before
   * `admit`, once per read or less often: reads of one pass count as one use however many they
   * are, because what lies between them is small next to the cache.
   *
   * @param sizeBytes Size of the whole object.
   */
  access(key: ObjectKey, sizeBytes: number): void;

  /**
   * Decides whether the object may hold `chargeBytes` in all, and books it. For a resident that
   * is its new charge; a refusal leaves its old one. Charge the whole size where the whole object
   * is going to be read, so that it is complete or absent.
   */
  admit(key: ObjectKey, chargeBytes: number): Admission;

  /**
   * As `admit`, for an object somebody asked for by name: it displaces everything that is neither
   * held nor planned, and is worth as much from now on as if it had been used lately.
   */
  claim(key: ObjectKey, chargeBytes: number): Admission;

  /** What is known of the object; null when it is not resident. */
  describe(key: ObjectKey): Standing | null;

  /** Books an object found in the index at the start, without asking. The longest unread first. */
  restore(key: ObjectKey, chargeBytes: number): void;

  /** The object left the cache for another reason: its version is gone, its bytes were bad. */
  removed(key: ObjectKey): void;

  /**
   * The object is pinned or open: from now or its admission on it is no victim, until released.
   * Idempotent; not counted. What is held and not resident is remembered beyond `ghostsMax`.
   */
  hold(key: ObjectKey): void;

  /** Ends `hold`. Idempotent, also for objects that have left. */
  release(key: ObjectKey): void;

  /**
   * Tells when a plan uses the object next: a position that rises, in any one unit for all plans.
   * `Infinity` ends it. Planned objects outrank the others and leave in the order of Belady: the
   * one used furthest in the future first.
   */
  planned(key: ObjectKey, nextUse: number): void;

  /** Residents may hold `capacityBytes` together from now on; who is too many leaves when asked. */
  resize(capacityBytes: number): void;

  /** Takes objects of at least `bytesWanted` in all out, least valuable first; fewer if it must. */
  evict(bytesWanted: number, reach: EvictionReach): ObjectKey[];
}
