/** What the model sees of an image: some of its bytes, as they are stored. */

/** Features of one image: a grid of 16 by 16. */
export const FEATURES = 256;

/**
 * Writes {@linkcode FEATURES} bytes of `image`, which is not empty, to `target`: every n-th one,
 * where n is as large as the image allows. A short image repeats its last byte.
 */
export function extractFeatures(image: Uint8Array, target: Uint8Array): void {
  const stride = Math.max(1, Math.floor(image.length / FEATURES));
  for (let feature = 0; feature < FEATURES; feature += 1) {
    target[feature] = image[Math.min(feature * stride, image.length - 1)] ?? 0;
  }
}
