/** What the cache's own disk did wrong. It never fails a read: bytes then come from the store. */

/**
 * - `full`: no space, no inodes or over quota.
 * - `gone`: a file or directory of the cache is missing, or is not what was put there.
 * - `failed`: anything else, a disk that does not answer in time included.
 */
export type CacheDiskErrorCode = "full" | "gone" | "failed";

/** An operation on the cache's disk that failed. */
export class CacheDiskError extends Error {
  override readonly name = "CacheDiskError";
  /** For operators; readers are not told. */
  readonly hint = 'Look at the disk of the cache with "warpdrive ctl doctor"';

  /** @param reason Current state and wanted state, e.g. `no space left on the device`. */
  constructor(
    readonly code: CacheDiskErrorCode,
    readonly operation: string,
    readonly subject: string,
    readonly reason: string,
    options: ErrorOptions = {},
  ) {
    super(`Cannot ${operation} "${subject}": ${reason}`, options);
  }
}

/** The disk does not answer `operation` on `subject` in time. */
export function notAnswering(operation: string, subject: string): CacheDiskError {
  return new CacheDiskError("failed", operation, subject, "the disk does not answer");
}
