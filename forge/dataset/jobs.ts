/** What commands and their workers say to each other. Plain data: it crosses threads. */
import type { ImageSettings } from "./synthetic_jpeg.ts";
import type { ShardReport } from "./shard_check.ts";

/** Draw a shard and write it to `path`, where nothing may be. */
export interface MakeJob {
  readonly kind: "make";
  readonly path: string;
  readonly seed: number;
  readonly shard: number;
  readonly samples: number;
  readonly images: ImageSettings;
}

/** An image to copy into a shard. */
export interface PackedImage {
  /** Where it is. */
  readonly path: string;
  /** Below the directory that is packed. */
  readonly name: string;
  readonly key: string;
  readonly label: number;
}

/** Write a shard with `images` to `path`, where nothing may be. */
export interface PackJob {
  readonly kind: "pack";
  readonly path: string;
  readonly images: readonly PackedImage[];
  /** Put the name of each image beside it, as JSON. */
  readonly withNames: boolean;
  /** Leave out what is no image instead of failing. */
  readonly skipDamaged: boolean;
}

/** Look at the shard at `path`. */
export interface CheckJob {
  readonly kind: "check";
  readonly path: string;
  /** Labels are below it; null when that is not known. */
  readonly classes: number | null;
}

/** One shard to work on. */
export type DatasetJob = MakeJob | PackJob | CheckJob;

/** A job, and the flag that ends it early when it is not 0. */
export interface DatasetOrder {
  readonly job: DatasetJob;
  readonly stop: Int32Array<SharedArrayBuffer>;
}

/** A shard that was written. */
export interface WrittenShard {
  readonly sizeBytes: number;
  readonly samples: number;
  /** Names of images that were left out, in order. */
  readonly skipped: readonly string[];
}

/** What came of a job. */
export type DatasetAnswer =
  | { readonly kind: "written"; readonly shard: WrittenShard }
  | { readonly kind: "checked"; readonly report: ShardReport }
  | {
    readonly kind: "failed";
    readonly message: string;
    /** What to do about it; null when the message does not yet say what was attempted. */
    readonly hint: string | null;
  }
  /** The thread itself ended. */
  | { readonly kind: "crashed"; readonly message: string };
