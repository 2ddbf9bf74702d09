/**
 * Random numbers that every machine draws alike: xoshiro128** (Blackman and Vigna, "Scrambled
 * linear pseudorandom number generators", 2018), its state filled by SplitMix32 as they advise.
 */
import { present } from "./assert.ts";

/** The largest seed. */
export const SEED_MAX = 2 ** 32 - 1;

/** A sequence of random numbers. */
export class Xoshiro128 {
  readonly #state: Uint32Array<ArrayBuffer>;

  private constructor(state: Uint32Array<ArrayBuffer>) {
    this.#state = state;
  }

  /**
   * The sequence of `seed`, a whole number from 0 to {@linkcode SEED_MAX}. Each `stream` of a seed
   * is a sequence of its own.
   */
  static seeded(seed: number, stream: number): Xoshiro128 {
    const seeds = new SplitMix32(seed);
    for (let skipped = 0; skipped < stream * 4; skipped += 1) seeds.next();
    return new Xoshiro128(Uint32Array.from({ length: 4 }, () => seeds.next()));
  }

  /** The sequence that goes on from `state`, of which not all may be 0. */
  static from(state: readonly [number, number, number, number]): Xoshiro128 {
    return new Xoshiro128(Uint32Array.from(state));
  }

  /** A whole number from 0 to 2^32 - 1. */
  next(): number {
    const state = this.#state;
    // By index: taking the array apart with a pattern costs twenty times as much.
    const s0 = state[0] ?? 0;
    const s1 = state[1] ?? 0;
    const s2 = state[2] ?? 0;
    const s3 = state[3] ?? 0;
    const result = Math.imul(rotated(Math.imul(s1, 5), 7), 9) >>> 0;
    const third = s2 ^ s0;
    const fourth = s3 ^ s1;
    state[1] = s1 ^ third;
    state[0] = s0 ^ fourth;
    state[2] = third ^ (s1 << 9);
    state[3] = rotated(fourth, 11);
    return result;
  }

  /** A whole number from 0 to `end` - 1, each as likely as the others. */
  below(end: number): number {
    // Numbers of an incomplete last round would make the smallest results likelier.
    const limit = 2 ** 32 - 2 ** 32 % end;
    let drawn = this.next();
    while (drawn >= limit) drawn = this.next();
    return drawn % end;
  }

  /** A number in [0, 1) with 32 random bits. */
  fraction(): number {
    return this.next() / 2 ** 32;
  }

  /** `items` in a random order (Fisher and Yates, from the end). */
  shuffled<T>(items: readonly T[]): T[] {
    const order = [...items];
    for (let last = order.length - 1; last > 0; last -= 1) {
      const drawn = this.below(last + 1);
      const taken = present(order[drawn], "item that was drawn");
      order[drawn] = present(order[last], "last item");
      order[last] = taken;
    }
    return order;
  }
}

/** Fills the state of other generators (Steele, Lea and Flood, 2014; 32-bit mix by Stafford). */
class SplitMix32 {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  }
}

function rotated(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
