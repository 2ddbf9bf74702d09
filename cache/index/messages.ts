/** What the index in its worker is asked, and what it answers. */
import type { BlockIndex, BlockIndexDeps } from "./block_index.ts";
import type { CacheDiskErrorCode } from "../disk/cache_disk_error.ts";

/** Calls that can be made from outside the worker. */
export type IndexMethod =
  | "find"
  | "versionsOf"
  | "insert"
  | "blocksOf"
  | "commit"
  | "setPinned"
  | "remove"
  | "withoutRow"
  | "rows"
  | "usage"
  | "below"
  | "tally"
  | "count"
  | "counts"
  | "putJob"
  | "jobs"
  | "check"
  | "totals"
  | "children"
  | "putListing"
  | "listing"
  | "listedMs"
  | "removeListing"
  | "close";

/** A call of one method. */
export type IndexCall = {
  readonly [Method in IndexMethod]: {
    readonly method: Method;
    readonly args: Parameters<BlockIndex[Method]>;
  };
}[IndexMethod];

/** Begins the worker's life; answered like a call, with `nextId`. */
export interface OpenIndex {
  readonly method: "open";
  readonly args: readonly [Omit<BlockIndexDeps, "onDamage">];
}

/** A numbered call. Answers come in the order of the calls. */
export interface Question {
  readonly number: number;
  readonly call: IndexCall | OpenIndex;
}

/** An error as it crosses to another thread, where its class is lost. */
export type IndexFailure =
  | {
    readonly kind: "disk";
    readonly code: CacheDiskErrorCode;
    readonly operation: string;
    readonly subject: string;
    readonly reason: string;
  }
  | { readonly kind: "refused"; readonly message: string; readonly hint: string | null }
  | { readonly kind: "bug"; readonly message: string };

/** What the worker says. */
export type Answer =
  | { readonly kind: "value"; readonly number: number; readonly value: unknown }
  | { readonly kind: "failure"; readonly number: number; readonly failure: IndexFailure }
  | { readonly kind: "damage"; readonly reason: string };
