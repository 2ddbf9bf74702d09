import { deepEqual, notDeepEqual } from "node:assert/strict";
import type { LabelledImage } from "./labelled_images.ts";
import { cutIntoShards, orderedImages } from "./pack_plan.ts";

const IMAGES = Array.from({ length: 10 }, (_, index): LabelledImage => {
  const name = `class/${index}.jpg`;
  return { path: `/images/${name}`, name, label: index };
});

const noSize = () => Promise.reject(new Error("Nobody asks for sizes"));

Deno.test("orderedImages shuffles by the seed, loses nothing, and numbers the result", () => {
  const order = orderedImages(IMAGES, 1);
  deepEqual(order.map(({ key }) => key).slice(0, 2), ["000000", "000001"]);
  deepEqual(order.map(({ label }) => label).sort(), IMAGES.map(({ label }) => label));
  deepEqual(orderedImages(IMAGES, 1), order);
  notDeepEqual(orderedImages(IMAGES, 2), order);
  deepEqual(orderedImages(IMAGES, null).map(({ name }) => name), IMAGES.map(({ name }) => name));
});

Deno.test("cutIntoShards fills each shard with as many samples as wanted", async () => {
  const shards = await cutIntoShards(
    orderedImages(IMAGES, null),
    { by: "samples", samples: 4 },
    noSize,
  );
  deepEqual(shards.map((shard) => shard.length), [4, 4, 2]);
  deepEqual(shards.flat(), orderedImages(IMAGES, null));
});

Deno.test("cutIntoShards keeps below a size, but for an image that alone is larger", async () => {
  const sizes = [1_000, 1_000, 1_000, 50_000, 1_000];
  const images = orderedImages(IMAGES.slice(0, 5), null);
  const sizeOf = (path: string) =>
    Promise.resolve(sizes[images.findIndex((image) => image.path === path)] ?? 0);
  const shards = await cutIntoShards(images, { by: "bytes", bytes: 7_000 }, sizeOf);
  deepEqual(shards.map((shard) => shard.map(({ label }) => label)), [[0, 1], [2], [3], [4]]);
});
