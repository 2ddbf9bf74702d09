/** Bytes that look random and are the same in every run: `seed` tells files apart. */
export function sampleBytes(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4));
  // Marsaglia's xorshift, whose state must not be zero.
  let state = (seed * 2 + 1) >>> 0;
  for (let index = 0; index < words.length; index += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return new Uint8Array(words.buffer, 0, length);
}
