/** Bytes that come in chunks, read in pieces of any length. */

const NOTHING = new Uint8Array(0);

/** Reads on from where the last read ended. Dispose it to let go of what gives the chunks. */
export class ByteSource implements Disposable {
  readonly #chunks: Iterator<Uint8Array>;
  #chunk: Uint8Array = NOTHING;
  /** What of the chunk was read. */
  #taken = 0;
  #position = 0;

  constructor(chunks: Iterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.iterator]();
  }

  /** Bytes read and passed over so far. */
  get position(): number {
    return this.#position;
  }

  /** Fills `target`; how many bytes there were, which is less only at the end. */
  read(target: Uint8Array): number {
    let filled = 0;
    while (filled < target.length) {
      const part = this.#part(target.length - filled);
      if (part === null) break;
      target.set(part, filled);
      filled += part.length;
    }
    return filled;
  }

  /** Passes over `count` bytes; how many there were, which is less only at the end. */
  skip(count: number): number {
    let skipped = 0;
    while (skipped < count) {
      const part = this.#part(count - skipped);
      if (part === null) break;
      skipped += part.length;
    }
    return skipped;
  }

  [Symbol.dispose](): void {
    this.#chunks.return?.();
  }

  /** The next bytes, at most `countMax`; null at the end. */
  #part(countMax: number): Uint8Array | null {
    while (this.#taken === this.#chunk.length) {
      const next = this.#chunks.next();
      if (next.done === true) return null;
      this.#chunk = next.value;
      this.#taken = 0;
    }
    const part = this.#chunk.subarray(this.#taken, this.#taken + countMax);
    this.#taken += part.length;
    this.#position += part.length;
    return part;
  }
}
