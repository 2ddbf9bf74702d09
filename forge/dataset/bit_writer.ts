/** The entropy-coded bits of a JPEG, most significant first. */
import { assert } from "../../cache/platform/assert.ts";

/** Writes bits to `bytes`, which has to be large enough. */
export class BitWriter {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;
  /** Bits that do not fill a byte yet, in the lowest places. */
  #held = 0;
  #heldBits = 0;
  #writtenBits = 0;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
  }

  /** Bits written so far, without what is stuffed between them. */
  get writtenBits(): number {
    return this.#writtenBits;
  }

  /** Writes the lowest `bits` of `value`, at most 24, which has none above them. */
  put(value: number, bits: number): void {
    let held = (this.#held << bits) | value;
    let heldBits = this.#heldBits + bits;
    while (heldBits >= 8) {
      heldBits -= 8;
      const byte = (held >>> heldBits) & 0xff;
      this.#bytes[this.#length] = byte;
      this.#length += 1;
      if (byte !== 0xff) continue;
      // A decoder takes 0xff for the start of a marker unless a zero follows it (B.1.1.5).
      this.#bytes[this.#length] = 0;
      this.#length += 1;
    }
    held &= (1 << heldBits) - 1;
    this.#held = held;
    this.#heldBits = heldBits;
    this.#writtenBits += bits;
  }

  /** Fills the last byte with ones (F.1.2.3); the number of bytes written. */
  finish(): number {
    const missing = (8 - this.#heldBits) % 8;
    this.put((1 << missing) - 1, missing);
    assert(this.#length <= this.#bytes.length, "All bits have found room");
    return this.#length;
  }
}
