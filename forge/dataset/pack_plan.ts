/** Deals images out to shards. */
import { assert } from "../../cache/platform/assert.ts";
import { Xoshiro128 } from "../../cache/platform/random.ts";
import type { PackedImage } from "./jobs.ts";
import type { LabelledImage } from "./labelled_images.ts";
import { sampleKey } from "./names.ts";

/** Random numbers of the shuffle have a stream of their own, apart from those of the trainer. */
const SHUFFLE_STREAM = 2;
/** What a sample takes in an archive besides its image: three headers, a label and padding. */
const SAMPLE_OVERHEAD_BYTES = 4 * 512;

/** When a shard is full. */
export type ShardLimit =
  | { readonly by: "samples"; readonly samples: number }
  | { readonly by: "bytes"; readonly bytes: number };

/**
 * `images` in the order in which they are packed, each with the key of its place in it.
 *
 * @param seed What the order is drawn from; null keeps it.
 */
export function orderedImages(
  images: readonly LabelledImage[],
  seed: number | null,
): PackedImage[] {
  const order = seed === null ? images : Xoshiro128.seeded(seed, SHUFFLE_STREAM).shuffled(images);
  return order.map((image, index) => ({ ...image, key: sampleKey(index) }));
}

/**
 * `images` cut into shards, none of them empty. A shard holds one image at least, however large.
 *
 * @param sizeOf Bytes of the image at a path; asked for only where the limit is in bytes.
 */
export async function cutIntoShards(
  images: readonly PackedImage[],
  limit: ShardLimit,
  sizeOf: (path: string) => Promise<number>,
): Promise<PackedImage[][]> {
  const shards: PackedImage[][] = [];
  let filled = Infinity;
  const full = limit.by === "samples" ? limit.samples : limit.bytes;
  for (const image of images) {
    const takes = limit.by === "samples" ? 1 : await sizeOf(image.path) + SAMPLE_OVERHEAD_BYTES;
    if (filled + takes > full) {
      shards.push([]);
      filled = 0;
    }
    const last = shards.at(-1);
    assert(last !== undefined, "A shard was begun");
    last.push(image);
    filled += takes;
  }
  return shards;
}
