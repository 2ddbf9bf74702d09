/**
 * Where one generation ends and the next begins, told from the stream of uses alone.
 *
 * Shares of recent bytes are kept as decaying averages over 3% of what the generation has seen, so
 * an epoch's beginning shows within 7% of it, and what was used meanwhile is carried over. Reasons
 * for an end:
 *
 * - again: nearly all that is used now was used in this generation already. An epoch has ended, or
 *   several workers at different speeds have all been through.
 * - strangers: a generation of known objects is followed by unknown ones only. One data set ends
 *   and another, or a scan, begins; their uses must not land in one generation.
 * - often: the same objects come back again and again among others that do not (a skewed load,
 *   which has no epochs). The generation ends by volume.
 */
import {
  afterGeneration,
  FORGOTTEN,
  isKnown,
  type Past,
  Uses,
  usesOf,
  withUses,
} from "./generation_history.ts";

const RECENT_SHARE = 0.03;
/** Below one in ten still to come, what is left of an epoch is stragglers. */
const AGAIN_SHARE = 0.9;
const STRANGER_SHARE = 0.9;
/** Uses that no pass over data explains; any clear presence of them means there are no epochs. */
const OFTEN_SHARE = 0.25;
/** Of the capacity: eight generations of a loop this small then forget only what was dead. */
const GENERATION_MIN = 1 / 8;
/** Of the capacity: shorter ones are too small a sample to rank skewed loads by. */
const SKEWED_GENERATION_MIN = 2;
/** Generations after which nothing is left of a past. */
const MEMORY = 10;

/** Counts generations and gives each past its age. */
export class GenerationClock {
  readonly #capacityBytes: number;
  #generation = 0;
  /** Bit i: whether uses were carried over the end before the i-th last generation. */
  #carries = 0;
  /** First uses in this generation, and those of them whose object had a past. */
  #usedBytes = 0;
  #knownBytes = 0;
  /** What would belong to the next generation if this one ended now. */
  #nextBytes = 0;
  #again = 0;
  #strangers = 0;
  #often = 0;

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
  }

  /** The current generation, counted from 0. */
  get generation(): number {
    return this.#generation;
  }

  /** What `past`, as it was in `generation`, is now. */
  now(past: Past, generation: number): Past {
    const ends = this.#generation - generation;
    if (ends > MEMORY) return FORGOTTEN;
    let aged = past;
    for (let end = ends - 1; end >= 0; end -= 1) {
      aged = afterGeneration(aged, (this.#carries >> end & 1) === 1);
    }
    return aged;
  }

  /**
   * Counts an access to an object of `sizeBytes`.
   *
   * @param past Its past in the current generation.
   * @param isNewUse False when it belongs to the same use as the access before.
   * @returns its past from now on, still in the current generation.
   */
  accessed(past: Past, sizeBytes: number, isNewUse: boolean): Past {
    const uses = usesOf(past);
    const first = uses === Uses.none;
    // A use that goes on past the end of a generation shows that the object is alive, but says
    // nothing of how far the new one has come.
    if (!isNewUse) return first ? withUses(past, Uses.once) : past;
    const recentBytes = Math.max(sizeBytes, RECENT_SHARE * this.#usedBytes, 1);
    const share = sizeBytes / recentBytes;
    this.#again += ((first ? 0 : 1) - this.#again) * share;
    this.#strangers += ((first && !isKnown(past) ? 1 : 0) - this.#strangers) * share;
    this.#often += ((uses === Uses.twice || uses === Uses.often ? 1 : 0) - this.#often) * share;
    const now = first ? this.#firstUse(isKnown(past), sizeBytes) : this.#laterUse(uses, sizeBytes);
    return withUses(past, now);
  }

  /**
   * Ends the generation if it is over.
   *
   * @returns null when it is not, else whether uses are carried into the next one.
   */
  endIfOver(): { readonly carries: boolean } | null {
    const cache = this.#capacityBytes;
    if (this.#usedBytes < GENERATION_MIN * cache) return null;
    if (this.#again > AGAIN_SHARE) return this.#end(this.#nextBytes, this.#nextBytes);
    if (this.#often > OFTEN_SHARE && this.#usedBytes >= SKEWED_GENERATION_MIN * cache) {
      return this.#end(0, 0);
    }
    if (this.#strangers > STRANGER_SHARE && this.#isOfKnown()) return this.#end(this.#nextBytes, 0);
    return null;
  }

  #isOfKnown(): boolean {
    return this.#knownBytes > this.#usedBytes / 2;
  }

  #firstUse(known: boolean, sizeBytes: number): number {
    this.#usedBytes += sizeBytes;
    if (known) this.#knownBytes += sizeBytes;
    else if (this.#isOfKnown()) {
      this.#nextBytes += sizeBytes;
      return Uses.early;
    }
    return Uses.once;
  }

  #laterUse(uses: number, sizeBytes: number): number {
    if (uses === Uses.once) {
      this.#nextBytes += sizeBytes;
      return Uses.twice;
    }
    if (uses === Uses.early) return Uses.twice;
    if (uses === Uses.twice) this.#nextBytes -= sizeBytes;
    return Uses.often;
  }

  #end(usedBytes: number, knownBytes: number): { readonly carries: boolean } {
    const carries = usedBytes > 0;
    this.#carries = (this.#carries << 1 | (carries ? 1 : 0)) & (2 ** MEMORY - 1);
    this.#generation += 1;
    this.#usedBytes = usedBytes;
    this.#knownBytes = knownBytes;
    this.#nextBytes = 0;
    this.#again = 0;
    this.#strangers = 0;
    this.#often = 0;
    return { carries };
  }
}
