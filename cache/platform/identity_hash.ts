/**
 * Stable numbers for inodes: the same (backend, path) has the same st_ino, and the same
 * (backend, path, version) the same node id, after every restart and on every machine.
 */

/** Fractional bits of the golden ratio and of the square root of 2: arbitrary, fixed for ever. */
const SEED_LOW = 0x9e3779b9;
const SEED_HIGH = 0x6a09e667;
/** Odd multipliers with no small period; the avalanche below does the mixing. */
const MULTIPLIER_LOW = 0x01000193;
const MULTIPLIER_HIGH = 0x85ebca6b;

/**
 * A hash of 53 bits of `seed` (itself below 2^53) and `text`. Among 5 million paths, the chance
 * of any two sharing a number is about 1 in 700; what depends on uniqueness checks for itself.
 */
export function identityHash(seed: number, text: string): number {
  let low = SEED_LOW ^ (seed >>> 0);
  let high = SEED_HIGH ^ Math.floor(seed / 2 ** 32);
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    low = Math.imul(low ^ unit, MULTIPLIER_LOW);
    high = Math.imul(high ^ unit, MULTIPLIER_HIGH) ^ (low >>> 15);
  }
  low = avalanche(low ^ text.length);
  high = avalanche(high ^ low);
  // 21 bits of one half above 32 of the other.
  return (high >>> 11) * 2 ** 32 + (low >>> 0);
}

function avalanche(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x7feb352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
  return mixed ^ (mixed >>> 16);
}
