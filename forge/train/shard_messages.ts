/** What the loader and its workers say to each other. Plain data: it crosses threads. */

/** Read a shard; one at a time. */
export interface ReadShard {
  readonly path: string;
}

/** Some samples of a shard, in its order, as a model takes them. */
export interface SampleChunk {
  readonly keys: readonly string[];
  /** {@linkcode FEATURES} bytes per sample. */
  readonly features: Uint8Array<ArrayBuffer>;
  /** As the shard has them, one per sample. */
  readonly labels: Float64Array<ArrayBuffer>;
}

/** What a worker says of the shard it reads. */
export type ShardAnswer =
  | { readonly kind: "samples"; readonly chunk: SampleChunk }
  | { readonly kind: "end" }
  | { readonly kind: "failed"; readonly message: string };
