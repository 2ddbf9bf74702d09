/** `GET /v1/explain`: everything known of one file. */
import { z } from "zod";
import type { ObjectDescription } from "../cache/operations/object_description.ts";
import type { Endpoint } from "./api.ts";

const COUNT = z.int().nonnegative();
const TIME = z.iso.datetime();

/**
 * When a version would leave the cache.
 *
 * - `held`: not while it is open or pinned.
 * - `planned`: a plan uses it; of planned objects, those used later leave before it.
 * - `ranked`: when room is needed, after all of less worth.
 * - `dead`: before all others, as nobody came back for it.
 * - `leaving`: it is on its way out.
 */
const DEPARTURE = z.enum(["held", "planned", "ranked", "dead", "leaving"]);

/** One version in the cache, the one cached last first. */
const VERSION = z.object({
  version: z.string(),
  size_bytes: COUNT,
  modified: TIME,
  cached_bytes: COUNT,
  blocks: COUNT,
  /** Blocks of which every byte is cached. */
  blocks_present: COUNT,
  /** Parts of 128 KiB, each with a checksum. */
  chunks: COUNT,
  chunks_present: COUNT,
  /** Chunks compared with their checksums since the start; null while it is not open. */
  chunks_verified: COUNT.nullable(),
  last_access: TIME,
  /** Who brought it in; null where that is not for this caller to know. */
  uid: z.int().nullable(),
  pinned: z.boolean(),
  /** Readers who have it open. */
  opens: COUNT,
  /** Null where no mount runs: the order is not known then. */
  departure: DEPARTURE.nullable(),
  /** Of `ranked`: completed generations of use, see cache/DESIGN.md. */
  worth: z.number().nullable(),
});
export type ExplainedVersion = z.infer<typeof VERSION>;

/** A version that is open, and how all who have it open read it. */
const OPEN = z.object({
  version: z.string(),
  /** `cached`: through the daemon and the page cache. */
  mode: z.enum(["cached", "passthrough"]),
  opens: COUNT,
});

/** A plan that names the file. */
const PLAN_USE = z.object({
  plan: z.string(),
  uid: z.int(),
  /** The first read of the plan that has not begun, and the next one of this file. */
  position: COUNT,
  next_read: COUNT.nullable(),
});

/** The answer. */
export const EXPLAIN_ANSWER = z.object({
  path: z.string(),
  backend: z.string(),
  key: z.string(),
  /** `in_place`: a local file, never copied. `read_through`: there is no cache. */
  kept: z.enum(["cached", "in_place", "read_through"]),
  /** What the store has now. */
  store: z.object({
    state: z.enum(["found", "missing", "no_answer", "not_asked"]),
    reason: z.string().nullable(),
    version: z.string().nullable(),
    size_bytes: COUNT.nullable(),
    modified: TIME.nullable(),
  }),
  /** How the file would be opened now, and why not in passthrough; null where no mount runs. */
  next_open: z.object({
    mode: z.enum(["daemon", "passthrough"]),
    reason: z.string().nullable(),
  }).nullable(),
  versions: z.array(VERSION),
  open: z.array(OPEN),
  plans: z.array(PLAN_USE),
  /** What is known in an outage. */
  names: z.object({
    /** When its directory was last listed as a whole. */
    directory_listed: TIME.nullable(),
    silent_reason: z.string().nullable(),
    silent_since: TIME.nullable(),
  }),
});
export type Explanation = z.infer<typeof EXPLAIN_ANSWER>;

/** Explains one file. Asks its store what it has now, and waits for that no longer than 5 s. */
export const EXPLAIN = {
  method: "GET",
  path: "/v1/explain",
  request: z.strictObject({
    /** Absolute without links, or relative to the mount point. */
    path: z.string().min(1),
  }),
  answer: EXPLAIN_ANSWER,
  form: "single",
} satisfies Endpoint;

/** A version on the wire; `uid` only where who asks may know it. */
export function versionAnswer(
  { row, chunks, blocks, verifiedChunks, opens, pinned, departure }: ObjectDescription,
  order: "known" | "unknown",
  mayKnow: (uid: number) => boolean,
): ExplainedVersion {
  return {
    version: row.version,
    size_bytes: row.sizeBytes,
    modified: new Date(row.modified.seconds * 1_000).toISOString(),
    cached_bytes: row.cachedBytes,
    blocks: blocks.count,
    blocks_present: blocks.present,
    chunks: chunks.count,
    chunks_present: chunks.present,
    chunks_verified: verifiedChunks,
    last_access: new Date(row.lastAccessMs).toISOString(),
    uid: mayKnow(row.uid) ? row.uid : null,
    pinned,
    opens,
    departure: order === "unknown" ? null : departure?.kind ?? "leaving",
    worth: departure?.kind === "ranked" ? departure.worth : null,
  };
}
