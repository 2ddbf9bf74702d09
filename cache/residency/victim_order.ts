/** The order in which a policy would let residents go. */

/**
 * Residents in the order in which they leave. Rows are numbers given by the owner; every resident
 * that may be evicted is queued, and only those.
 */
export interface VictimOrder {
  /** Whether residents leave so that others can enter. */
  readonly displaces: boolean;
  /** Makes place for rows below `rows`. */
  reserve(rows: number): void;
  /** Residents may hold so much together from now on. */
  resize(capacityBytes: number): void;
  /** A new row: its object was never seen. */
  begin(row: number): void;
  /** The object of a new row was found in the cache at the start. */
  restored(row: number, sizeBytes: number): void;
  /** Its object, which is not queued, was asked for by name and is going to be used. */
  claimed(row: number, sizeBytes: number): void;
  /** Its object, which is not queued, was read. */
  accessed(row: number, sizeBytes: number): void;
  /** Queues a row as the most recent of its kind. */
  queue(row: number): void;
  /** Queues a row as the least recent of its kind: undoes `next` when called in reverse. */
  requeue(row: number): void;
  /** Takes a row out of the queue. */
  unqueue(row: number): void;
  /** The row that leaves first, still queued, or NO_ROW. */
  next(): number;
  /** Whether an object that was just read, not queued, may displace a resident. */
  beats(candidate: number, victim: number): boolean;
  /** How much the object of a row is worth: rows of less worth leave earlier. */
  worth(row: number): number;
  /** Whether nobody came back for the object for so long that it may go without need. */
  isDead(row: number): boolean;
}
