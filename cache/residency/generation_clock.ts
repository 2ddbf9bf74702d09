/**
 * Where one generation ends and the next begins, told from the stream of uses alone.
 *
 * Shares of recent bytes are kept as decaying averages over 3% of what the generation has seen, so
 * an epoch's beginning shows within 7% of it, and what was used meanwhile is carried over. Reasons
 * for an end:
 *
 * - again: nearly all that is used now was used in this generation already, and the generation is
 *   whole. An epoch has ended, or several workers at different speeds have all been through. It is
 *   not whole when it has only some of what the last one used, or much that the last one lacked:
 *   then a part of the data is passed over more often (a validation set in the middle of an
 *   epoch), and only a second use of half of everything ends it.
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
  wasUsedLast,
  withUses,
} from "./generation_history.ts";

const RECENT_SHARE = 0.03;
/** Below one in ten still to come, what is left of an epoch is stragglers. */
const AGAIN_SHARE = 0.9;
const STRANGER_SHARE = 0.9;
/** Of a last generation that is being repeated, or that is dead, this much is used. */
const REPEATED_MIN = 0.8;
const DEAD_MAX = 0.1;
/** Of this generation, what may be known from before the last one only. */
const MISSED_MAX = 0.5;
/** Of a generation that is not whole, what must have been used twice. */
const TWICE_MIN = 0.5;
/** Uses that no pass over data explains; where they are many there are no epochs. */
const OFTEN_SHARE = 0.25;
/** Of the capacity: eight generations of a loop this small then forget only what was dead. */
const GENERATION_MIN = 1 / 8;
/** Of the capacity: shorter ones are too small a sample to rank skewed loads by. */
const SKEWED_GENERATION_MIN = 2;
/** Generations after which nothing is left of a past. */
const MEMORY = 10;

/** Counts generations and gives each past its age. */
export class GenerationClock {
  #capacityBytes: number;
  #generation = 0;
  /** Bit i: whether uses were carried over the end before the i-th last generation. */
  #carries = 0;
  /** First uses in this generation, and those of them whose object had a past. */
  #usedBytes = 0;
  #knownBytes = 0;
  /** What the last generation used, and how much of it this one did. */
  #lastBytes = 0;
  #repeatedBytes = 0;
  /** What would belong to the next generation if this one ended now. */
  #nextBytes = 0;
  #again = 0;
  #strangers = 0;
  /** All uses in this generation, and those beyond an object's second. */
  #begunBytes = 0;
  #oftenBytes = 0;
  #missedBytes = 0;

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
  }

  /** The current generation, counted from 0. */
  get generation(): number {
    return this.#generation;
  }

  /** Generations are measured by this capacity from now on. */
  resize(capacityBytes: number): void {
    this.#capacityBytes = capacityBytes;
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

  /** Counts an object with the past {@linkcode RESTORED}. */
  restored(sizeBytes: number): void {
    this.#lastBytes += sizeBytes;
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
    this.#begunBytes += sizeBytes;
    if (uses === Uses.twice || uses === Uses.often) this.#oftenBytes += sizeBytes;
    const now = first ? this.#firstUse(past, sizeBytes) : this.#laterUse(uses, sizeBytes);
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
    if (
      this.#again > AGAIN_SHARE &&
      (this.#isWhole() || this.#nextBytes > TWICE_MIN * this.#usedBytes)
    ) {
      return this.#end(this.#nextBytes, this.#nextBytes);
    }
    const skewed = this.#oftenBytes > OFTEN_SHARE * this.#begunBytes;
    if (skewed && this.#usedBytes >= SKEWED_GENERATION_MIN * cache) {
      return this.#end(0, 0);
    }
    if (this.#strangers > STRANGER_SHARE && this.#isOfKnown()) return this.#end(this.#nextBytes, 0);
    return null;
  }

  #isWhole(): boolean {
    if (this.#lastBytes === 0 || this.#missedBytes > MISSED_MAX * this.#usedBytes) return false;
    const share = this.#repeatedBytes / this.#lastBytes;
    return share >= REPEATED_MIN || share <= DEAD_MAX;
  }

  #isOfKnown(): boolean {
    return this.#knownBytes > this.#usedBytes / 2;
  }

  #firstUse(past: Past, sizeBytes: number): number {
    const known = isKnown(past);
    this.#usedBytes += sizeBytes;
    if (wasUsedLast(past)) this.#repeatedBytes += sizeBytes;
    else if (known) this.#missedBytes += sizeBytes;
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
    this.#lastBytes = this.#usedBytes;
    this.#repeatedBytes = knownBytes;
    this.#usedBytes = usedBytes;
    this.#knownBytes = knownBytes;
    this.#nextBytes = 0;
    this.#again = 0;
    this.#strangers = 0;
    this.#begunBytes = 0;
    this.#oftenBytes = 0;
    this.#missedBytes = 0;
    return { carries };
  }
}
