/** What a case of the conformance suite is made of. */
import type { Backend } from "../../cache/backend/backend.ts";

/** What not every provider can do. */
export type Capability =
  /** Keys `a` and `a/b` at once. */
  | "object_beside_directory"
  /** Keys that end in a slash. */
  | "placeholders"
  /** Keys that have empty segments, or segments longer than a file name. */
  | "arbitrary_keys"
  /** Directories exist without anything in them only on file systems. */
  | "directories_are_keys"
  /** Names that are no Unicode do not exist. */
  | "unicode_only"
  /** Reads deliver what they have before all of it is there. */
  | "progressive_reads"
  /** The store knows a checksum of what was put in one request. */
  | "checksums"
  /** A put that is shorter or longer than announced is refused. */
  | "checks_length"
  /** It has a proxy and issuers of its own, beside those of the environment. */
  | "own_way"
  /** Somebody else than the owner pays for requests. */
  | "payers"
  /** The server tells a missing bucket from a missing object. */
  | "missing_bucket"
  /** The server refuses wrong keys. */
  | "keys"
  /** The server keeps an object as a file that a test can get at. */
  | "object_files";

/** Entries of a page in all fixtures, so that a few objects make several pages. */
export const PAGE_SIZE = 5;

/** An empty backend of one provider. */
export interface Fixture extends AsyncDisposable {
  readonly backend: Backend;
  /** Stores an object past the backend, under any key. */
  seed(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

/** A sentence about every backend, the capabilities it is about, and what shows it on `T`. */
export type Case<T = Fixture> = readonly [
  sentence: string,
  needs: readonly Capability[],
  run: (on: T) => Promise<void>,
];
