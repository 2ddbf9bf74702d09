/**
 * Exponential and logarithm of nothing but additions, multiplications and divisions, which IEEE 754
 * rounds alike everywhere. `Math.exp` and `Math.log` it does not: V8 14 and 15 differ in their last
 * bits, and losses have to agree in all of theirs.
 */

/** ln 2 in two parts: a multiple of the first by a small whole number is exact. */
const LN2_HIGH = 6.93147180369123816490e-1;
const LN2_LOW = 1.90821492927058770002e-10;
/** Below it e^x is less than the smallest number that has all its bits, and taken for 0. */
const EXPONENT_MIN = -708;
/** Terms that bring either series below half of the last bit. */
const EXPONENTIAL_TERMS = 14;
const LOGARITHM_TERMS = 12;

/** e^x to within two units in the last place, for `x` of at most 0. */
export function exponential(x: number): number {
  if (x < EXPONENT_MIN) return 0;
  // e^x = 2^halvings · e^rest, where rest lies within half of ln 2.
  const halvings = Math.round(-x / LN2_HIGH);
  const rest = x + halvings * LN2_HIGH + halvings * LN2_LOW;
  let sum = 1;
  for (let term = EXPONENTIAL_TERMS; term > 0; term -= 1) sum = 1 + sum * rest / term;
  for (let halving = 0; halving < halvings; halving += 1) sum *= 0.5;
  return sum;
}

/** ln x to within two units in the last place, for `x` above 0 and of at most 1. */
export function logarithm(x: number): number {
  // ln x = ln mantissa - doublings · ln 2, where the mantissa lies around 1.
  let mantissa = x;
  let doublings = 0;
  while (mantissa < Math.SQRT1_2) {
    mantissa *= 2;
    doublings += 1;
  }
  // ln m = 2 artanh((m - 1) / (m + 1)).
  const ratio = (mantissa - 1) / (mantissa + 1);
  const square = ratio * ratio;
  let sum = 0;
  for (let term = LOGARITHM_TERMS; term > 0; term -= 1) sum = (sum + 1 / (2 * term + 1)) * square;
  return 2 * (ratio + ratio * sum) - doublings * LN2_LOW - doublings * LN2_HIGH;
}
