/** Random numbers that a test can repeat: the same seed gives the same run. */

/** The environment variable that repeats a run; every seeded test prints its seed on failure. */
export const SEED_VARIABLE = "WARPDRIVE_TEST_SEED";

/** A sequence of pseudo-random numbers (mulberry32): short, and good enough to choose by. */
export class SeededRandom {
  #state: number;

  constructor(readonly seed: number) {
    this.#state = seed >>> 0;
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** An integer in [0, end). */
  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  /** One of `choices`, which is not empty. */
  pick<T>(choices: readonly T[]): T {
    const chosen = choices[this.below(choices.length)];
    if (chosen === undefined) throw new Error("Cannot pick from nothing");
    return chosen;
  }
}

/**
 * Runs `body` with random numbers from `seed`, or from the seed in the environment. A failure
 * names the seed to run it again with.
 */
export async function withSeed(
  seed: number,
  body: (random: SeededRandom) => void | Promise<void>,
): Promise<void> {
  const used = Number(Deno.env.get(SEED_VARIABLE) ?? seed);
  try {
    await body(new SeededRandom(used));
  } catch (cause) {
    throw new Error(`Failed with seed ${used}: repeat it with ${SEED_VARIABLE}=${used}`, { cause });
  }
}
