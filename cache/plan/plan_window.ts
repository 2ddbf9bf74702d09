/**
 * What of a plan is fetched ahead: reads from the furthest one that was begun on, in order, while
 * their bytes fit into a window. Pure.
 */

/** Reads a window holds at most: small files are bounded by their number. */
const READS_MAX = 8_192;

/** The bytes of the reads from `front` to `cursor`. */
export class PlanWindow {
  readonly #bytesMax: () => number;
  /** Bytes of the reads in the window, the next one first. */
  #sizes: number[] = [];
  /** Of `#sizes`, those that the front has passed. */
  #passed = 0;
  #cursor = 0;
  #bytes = 0;

  /** @param bytesMax The most that may be ahead, asked each time. */
  constructor(bytesMax: () => number) {
    this.#bytesMax = bytesMax;
  }

  /** The next position that is not in the window. */
  get cursor(): number {
    return this.#cursor;
  }

  /** Bytes ahead. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Reads ahead. */
  get length(): number {
    return this.#sizes.length - this.#passed;
  }

  /** Whether a read of `bytes` may be fetched now; one always may. */
  hasRoom(bytes: number): boolean {
    if (this.length === 0) return true;
    return this.length < READS_MAX && this.#bytes + bytes <= this.#bytesMax();
  }

  /** How much of a read of `bytes` is worth fetching ahead: one larger than the window is cut. */
  cut(bytes: number): number {
    return Math.min(bytes, this.#bytesMax());
  }

  /** Takes the read at the cursor in. */
  take(bytes: number): void {
    this.#sizes.push(bytes);
    this.#bytes += bytes;
    this.#cursor += 1;
  }

  /** The front is at `high` now: what it has passed leaves the window. */
  follow(high: number): void {
    const start = this.#cursor - this.length;
    if (high >= this.#cursor || high < start) {
      this.#sizes = [];
      this.#passed = 0;
      this.#bytes = 0;
      this.#cursor = high;
      return;
    }
    for (let position = start; position < high; position += 1) {
      this.#bytes -= this.#sizes[this.#passed] ?? 0;
      this.#passed += 1;
    }
    if (this.#passed <= READS_MAX) return;
    this.#sizes = this.#sizes.slice(this.#passed);
    this.#passed = 0;
  }
}
