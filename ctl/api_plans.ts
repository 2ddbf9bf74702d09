/** The calls by which a process says what it will read; `docs/plans.md` tells people. */
import { z } from "zod";
import type { Endpoint } from "./api.ts";

/** Reads in one call. A longer plan is sent in pieces, so that no call holds the mount up. */
export const PLAN_ITEMS_PER_CALL = 10_000;
/** Paths named in an answer. */
export const PLAN_NAMES_MAX = 100;

const POSITION = z.int().nonnegative();

const ITEM = z.union([
  z.string(),
  z.strictObject({
    path: z.string(),
    offset: POSITION.default(0),
    /** Without it: to the end. */
    length: z.int().positive().optional(),
  }),
]);

/** Reads in order: paths, absolute or relative to the mount point, or ranges of files. */
const ITEMS = z.array(ITEM).max(PLAN_ITEMS_PER_CALL);
/** How often the items of this call are read through, in this order. */
const EPOCHS = z.int().min(1).max(1_000_000).default(1);
const PLAN = z.string();

/** What became of items. */
const TAKEN = {
  plan: PLAN,
  /** Reads of the plan in all, epochs counted. */
  end: POSITION,
  /** Items that name no file of this mount: how many, and the first of them. */
  unresolved_count: POSITION,
  unresolved: z.array(z.object({ path: z.string(), reason: z.string() })).max(PLAN_NAMES_MAX),
};

/** How a plan is getting on. */
export const PLAN_STATUS = z.object({
  plan: PLAN,
  uid: z.int(),
  /** `paused`: a store does not answer, or the cache has no room or does not work. */
  state: z.enum(["following", "paused", "complete"]),
  /** The first read that has not begun. */
  position: POSITION,
  end: POSITION,
  reads_per_second: z.number().nullable(),
  /** Read ahead of the reader: reads and their bytes. */
  ahead_reads: POSITION,
  ahead_bytes: POSITION,
  /** Fetches begun, and those of them that failed or were not kept. */
  fetches: POSITION,
  failed_fetches: POSITION,
  /** Files that are not there, or that nobody may read. */
  missing: POSITION,
  /** Reads that were announced and left out. */
  skipped: POSITION,
  /** Opens of planned files that the plan did not expect. */
  strays: POSITION,
});
export type PlanStatus = z.infer<typeof PLAN_STATUS>;

/** Hands over a plan, which lives as long as the stream that answers. */
export const PLAN_OPEN = {
  method: "POST",
  path: "/v1/plans",
  request: z.strictObject({
    items: ITEMS,
    epochs: EPOCHS,
    /** Bytes to fetch ahead of the reader; the mount decides without it. */
    window_bytes: z.int().positive().optional(),
  }),
  answer: z.discriminatedUnion("event", [
    z.object({ event: z.literal("begun"), ...TAKEN }),
    z.object({ event: z.literal("status"), ...PLAN_STATUS.shape }),
  ]),
  form: "stream",
} satisfies Endpoint;

/** Adds reads behind all others of a plan. */
export const PLAN_APPEND = {
  method: "POST",
  path: "/v1/plans/:plan/items",
  request: z.strictObject({ plan: PLAN, items: ITEMS, epochs: EPOCHS }),
  answer: z.object(TAKEN),
  form: "single",
} satisfies Endpoint;

/** Says which read is next; from then on opens of files tell nothing. */
export const PLAN_PROGRESS = {
  method: "POST",
  path: "/v1/plans/:plan/progress",
  request: z.strictObject({ plan: PLAN, position: POSITION }),
  answer: PLAN_STATUS,
  form: "single",
} satisfies Endpoint;

/** The plans of who asks; by `admin.sock` those of everybody. */
export const PLAN_LIST = {
  method: "GET",
  path: "/v1/plans",
  request: z.strictObject({}),
  answer: z.object({ plans: z.array(PLAN_STATUS) }),
  form: "single",
} satisfies Endpoint;
