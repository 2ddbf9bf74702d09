/** `POST /v1/pin` and `/v1/unpin`: what stays in the cache until somebody says otherwise. */
import { z } from "zod";
import type { PinnedPaths } from "../cache/operations/pin_paths.ts";
import type { Endpoint } from "./api.ts";
import { AMOUNT, CACHE_PATHS, WORKING } from "./api_cache_paths.ts";

const PATHS = z.strictObject({ paths: CACHE_PATHS.min(1) });

const PINNED = z.object({
  /** Objects that are pinned now, those that were before included, and what is cached of them. */
  objects: AMOUNT,
  bytes: AMOUNT,
  /** Of these objects, those of which something is missing. */
  incomplete: AMOUNT,
  /** Objects left out, because no more of the cache can be pinned. */
  refused: AMOUNT,
  /** Paths at and below which nothing is cached: nothing could be pinned there. */
  absent: z.array(z.string()),
  /** Sizes of all that is pinned in this cache. */
  pinned_bytes: AMOUNT,
});
export type PinAnswer = z.infer<typeof PINNED>;

const UNPINNED = z.object({
  /** Objects whose pins ended. */
  objects: AMOUNT,
  pinned_bytes: AMOUNT,
});
export type UnpinAnswer = z.infer<typeof UNPINNED>;

/** Pins what is cached at the paths and below them. */
export const PIN = {
  method: "POST",
  path: "/v1/pin",
  request: PATHS,
  answer: z.discriminatedUnion("event", [
    WORKING,
    z.object({ event: z.literal("done"), ...PINNED.shape }),
  ]),
  form: "stream",
} satisfies Endpoint;

/** Ends the pins at the paths and below them. */
export const UNPIN = {
  method: "POST",
  path: "/v1/unpin",
  request: PATHS,
  answer: z.discriminatedUnion("event", [
    WORKING,
    z.object({ event: z.literal("done"), ...UNPINNED.shape }),
  ]),
  form: "stream",
} satisfies Endpoint;

/** `pinned` on the wire. */
export function pinAnswer(
  { objects, bytes, incomplete, refused, absent }: PinnedPaths,
  pinnedBytes: number,
): PinAnswer {
  return {
    ...{ objects, bytes, incomplete, refused },
    absent: [...absent],
    pinned_bytes: pinnedBytes,
  };
}
