/** What the benchmark and its readers say to each other. Plain data: it crosses threads. */
import type { Checksum, DigestName } from "./digest.ts";
import type { BenchFile, Pattern, ReaderPlace } from "./pattern.ts";

/** What a reader is made with. */
export interface ReaderSettings {
  readonly place: ReaderPlace;
  readonly pattern: Pattern;
  readonly chunkBytes: number;
  /** Past the page cache (O_DIRECT). */
  readonly direct: boolean;
  /** Take checksums of these kinds of each file that was read whole. */
  readonly digests: readonly DigestName[];
  /** Sets of files to read from, one at a time; a set keeps its place while another is read. */
  readonly sets: readonly (readonly BenchFile[])[];
  /** Not 0: stop. Looked at before each read. */
  readonly stop: Int32Array<SharedArrayBuffer>;
}

export type ReaderQuestion =
  | { readonly kind: "setup"; readonly settings: ReaderSettings }
  /** Read from a set until `stop` is set. */
  | { readonly kind: "read"; readonly set: number };

/** A checksum of a file that was read whole. */
export interface FileDigest extends Checksum {
  readonly path: string;
}

export type ReaderAnswer =
  | { readonly kind: "ready" }
  | {
    readonly kind: "done";
    readonly bytes: number;
    /** Durations of the reads, as a LatencyHistogram counts them. */
    readonly counts: Float64Array<ArrayBuffer>;
    readonly digests: readonly FileDigest[];
  }
  | { readonly kind: "failed"; readonly message: string };
