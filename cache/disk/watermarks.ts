/**
 * When a cache makes room before it has to: above the high water mark, down to the low one, and
 * only by what nobody came back for. Live data stays to the last byte of `max_size`: taking a fifth
 * of it out would cost the hit rate it stands for, and admission finds its room by itself.
 */

/** Shares of the capacity. */
export interface Watermarks {
  readonly highWater: number;
  readonly lowWater: number;
}

/** Of the capacity: what is evicted at once, so that the event loop is not held up. */
const BATCH_SHARE = 1 / 64;

/**
 * Bytes to take out next.
 *
 * @param isEvicting Whether the high water mark was passed and the low one not reached since.
 */
export function excessBytes(
  usedBytes: number,
  capacityBytes: number,
  { highWater, lowWater }: Watermarks,
  isEvicting: boolean,
): number {
  if (usedBytes <= (isEvicting ? lowWater : highWater) * capacityBytes) return 0;
  return Math.min(usedBytes - lowWater * capacityBytes, BATCH_SHARE * capacityBytes);
}
