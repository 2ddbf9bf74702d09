/**
 * What is remembered of one object's uses, in eleven bits, and what that is worth.
 *
 * A generation is a stretch in which objects are mostly used for the first time: in training, an
 * epoch. Counting uses within one would reward whatever was shuffled to its beginning; what tells
 * live data from dead is in how many generations an object came back. A past therefore holds
 *
 *   bits 3..10  one bit per completed generation, the latest highest: used in it?
 *   bits 0..2   uses in the current generation
 */

/** What is known of an object's uses: below {@linkcode PASTS}. */
export type Past = number;

/** Pasts are 0 up to, not including, this. */
export const PASTS = 256 * 8;

/** Of an object that was never used, or not for eight generations. */
export const FORGOTTEN: Past = 0;

/** Of an object found at the start: it counts as used in the generation before. */
export const RESTORED: Past = 0x80 << 3;

/** Uses in the current generation. */
export const Uses = {
  none: 0,
  once: 1,
  /** The second use is the first of the next generation, when this one has ended by then. */
  twice: 2,
  /** More than any pass over data explains. */
  often: 3,
  /** Once, and unlike the rest of the generation: the first use of the next one. */
  early: 4,
} as const;

/** Uses in the current generation, one of {@linkcode Uses}. */
export function usesOf(past: Past): number {
  return past & 7;
}

/** The same past with other uses in the current generation. */
export function withUses(past: Past, uses: number): Past {
  return (past & ~7) | uses;
}

/** Whether the object was used in any completed generation that is remembered. */
export function isKnown(past: Past): boolean {
  return past >= 8;
}

/** Whether the object was used in the last completed generation. */
export function wasUsedLast(past: Past): boolean {
  return (past & (0x80 << 3)) !== 0;
}

/** The same past with a use in the last completed generation. */
export function asUsedLast(past: Past): Past {
  return past | (0x80 << 3);
}

/**
 * Used neither in this generation nor in any that is remembered. Whatever is read next displaces
 * it; one that missed only the last few generations of a skewed load is still worth its place.
 */
export function isDead(past: Past): boolean {
  return past === FORGOTTEN;
}

/**
 * The past one generation later.
 *
 * @param carries Whether uses that looked like the next generation's now belong to it.
 */
export function afterGeneration(past: Past, carries: boolean): Past {
  const uses = usesOf(past);
  const used = uses !== Uses.none && uses !== Uses.early;
  const belongs = carries && (uses === Uses.twice || uses === Uses.early);
  return (past >> 4 << 3) | (used ? 0x80 << 3 : 0) | (belongs ? Uses.once : Uses.none);
}

/**
 * The order in which objects are worth keeping, by completed generations only: within one, a use
 * says nothing yet. Used in the last generation is worth more than in the one before, that more
 * than in all older ones together, and then the number of generations counts. A new data set so
 * beats a dead one with its second epoch, and objects of one data set tie.
 */
export function worth(past: Past): number {
  const history = past >> 3;
  const recency = (history & 0x80) !== 0 ? 32 : (history & 0x40) !== 0 ? 16 : 0;
  let generations = 0;
  for (let bits = history; bits !== 0; bits &= bits - 1) generations += 1;
  return recency + generations;
}
