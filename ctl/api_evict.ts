/** `POST /v1/evict`: takes objects out of the cache. */
import { z } from "zod";
import type { Evicted } from "../cache/operations/cache_operations.ts";
import type { Endpoint } from "./api.ts";
import { AMOUNT, CACHE_PATHS, WORKING } from "./api_cache_paths.ts";

/** What is to leave. */
const WHAT = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("paths"), paths: CACHE_PATHS.min(1) }),
  /** Objects of at least `min_size_bytes` that nobody has read for `older_than_seconds`. */
  z.strictObject({
    kind: z.literal("stale"),
    older_than_seconds: z.number().nonnegative(),
    min_size_bytes: AMOUNT.default(0),
  }),
]);

/** What left, or would. */
const EVICTED = z.object({
  objects: AMOUNT,
  bytes: AMOUNT,
  /** Of `bytes`, those of objects that are open: their space comes back when they are closed. */
  open_bytes: AMOUNT,
  /** Objects that stayed because they are pinned. */
  pinned: AMOUNT,
});
export type EvictAnswer = z.infer<typeof EVICTED>;

/** Takes out what is meant and not pinned; who has it open reads on. */
export const EVICT = {
  method: "POST",
  path: "/v1/evict",
  request: z.strictObject({
    what: WHAT,
    /** Says what would leave, and leaves it. */
    dry_run: z.boolean().default(false),
  }),
  answer: z.discriminatedUnion("event", [
    WORKING,
    z.object({ event: z.literal("done"), ...EVICTED.shape }),
  ]),
  form: "stream",
} satisfies Endpoint;

/** A call of it. */
export type EvictRequest = z.output<typeof EVICT.request>;

/** `evicted` on the wire. */
export function evictAnswer({ objects, bytes, openBytes, pinned }: Evicted): EvictAnswer {
  return { objects, bytes, open_bytes: openBytes, pinned };
}
