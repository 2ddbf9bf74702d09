/** What a synthetic data set is like. */
import { z } from "zod";
import { SEED_MAX } from "../../cache/platform/random.ts";
import { integer, size } from "../../cache/platform/setting.ts";
import { type Dimensions, dimensions, prefix, readFlags, wrongFlags } from "./flag_values.ts";
import type { ShardPlan } from "./write_shards.ts";

/** Flags of `forge dataset make`; defaults as the founding documents have them. */
export const MAKE_FLAGS = z.object({
  out: z.array(z.string()).default([]),
  prefix: prefix().prefault("train"),
  shards: integer(1, 1_000_000).prefault("100"),
  samples: integer(1, 1_000_000).prefault("500"),
  imageSize: dimensions().prefault("224"),
  imageBytes: size(1, 'a size such as "15KiB"').optional(),
  classes: integer(1, 10_000).prefault("10"),
  seed: integer(0, SEED_MAX).prefault("42"),
  parallel: integer(1, 64).prefault("8"),
  force: z.boolean().default(false),
  json: z.boolean().default(false),
});
export type MakeSettings = z.output<typeof MAKE_FLAGS> & {
  /** Bytes of a mean image. */
  readonly meanBytes: number;
};

/** What an image has besides its pixels: headers and tables. */
const HEADER_BYTES = 512;
/** Bytes for a pixel of a picture without grain, of the usual one, and of one that is all grain. */
const PIXEL_BYTES_MIN = 1 / 16;
const PIXEL_BYTES = 0.3;
const PIXEL_BYTES_MAX = 1;

/**
 * The settings of the command line `options`.
 *
 * @throws {CommandError} `usage` with everything that is wrong.
 */
export function readMakeSettings(
  program: string,
  options: Readonly<Record<string, unknown>>,
): MakeSettings {
  const flags = readFlags(program, MAKE_FLAGS, options);
  const { imageSize, imageBytes } = flags;
  const meanBytes = imageBytes ?? bytesOf(imageSize, PIXEL_BYTES);
  const min = bytesOf(imageSize, PIXEL_BYTES_MIN);
  const max = bytesOf(imageSize, PIXEL_BYTES_MAX);
  if (meanBytes >= min && meanBytes <= max) return { ...flags, meanBytes };
  const { width, height } = imageSize;
  throw wrongFlags(
    program,
    `--image-bytes "${options["imageBytes"]}": wanted ${min} to ${max} bytes for images of ` +
      `${width}x${height} pixels`,
  );
}

/** The shards of a synthetic data set. */
export function* syntheticShards(settings: MakeSettings): Generator<ShardPlan> {
  const { imageSize: { width, height }, classes, meanBytes, seed, samples } = settings;
  const images = { width, height, classes, meanBytes };
  for (let shard = 0; shard < settings.shards; shard += 1) {
    yield { kind: "make", seed, shard, samples, images };
  }
}

function bytesOf({ width, height }: Dimensions, pixelBytes: number): number {
  return Math.round(HEADER_BYTES + width * height * pixelBytes);
}
