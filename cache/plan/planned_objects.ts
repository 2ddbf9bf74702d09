/** What plans ask of a cache: where an object is, and to know when it is used next. */
import type { ObjectKey } from "../residency/residency.ts";

/** Where an object is. */
export type PlannedPlace =
  | "absent"
  /** On disk, all of it or a part, still to be verified. */
  | "resident"
  /** On disk as a whole and verified: fetching it would do nothing. */
  | "ready";

/** A cache that keeps what is used next. */
export interface PlannedObjects {
  /** Bytes it may hold. */
  readonly capacityBytes: number;
  /** Tells when an object is used next, as `Residency.planned` wants it. */
  planned(key: ObjectKey, nextUse: number): void;
  placeOf(key: ObjectKey): PlannedPlace;
}
