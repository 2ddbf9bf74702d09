import assert from "node:assert/strict";
import { extractFeatures, FEATURES } from "./features.ts";

function featuresOf(length: number): Uint8Array {
  const image = Uint8Array.from({ length }, (_, index) => index % 251);
  const target = new Uint8Array(FEATURES);
  extractFeatures(image, target);
  return target;
}

Deno.test("extractFeatures takes every n-th byte, as far apart as the image allows", () => {
  assert.deepEqual([...featuresOf(1_000).subarray(0, 4)], [0, 3, 6, 9]);
  assert.equal(featuresOf(1_000)[255], 255 * 3 % 251);
  assert.deepEqual([...featuresOf(511).subarray(0, 3)], [0, 1, 2]);
});

Deno.test("extractFeatures repeats the last byte of a short image", () => {
  assert.deepEqual([...featuresOf(3).subarray(0, 5)], [0, 1, 2, 2, 2]);
  assert.equal(featuresOf(1)[255], 0);
});
