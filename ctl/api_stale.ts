/** `GET /v1/stale`: what is cached and has not been read for long. */
import { z } from "zod";
import type { StaleObjects } from "../cache/object/stale_objects.ts";
import type { Endpoint } from "./api.ts";

/** Objects in one answer. */
export const STALE_LIMIT_MAX = 10_000;

const COUNT = z.int().nonnegative();
const TIME = z.iso.datetime();

const OBJECT = z.object({
  backend: z.string(),
  /** Key in the backend. */
  path: z.string(),
  size_bytes: COUNT,
  /** Of them, what is in the cache. */
  cached_bytes: COUNT,
  last_modified: TIME,
  last_access: TIME,
  /** It stays, however long nobody reads it. */
  pinned: z.boolean(),
});
export type StaleObject = z.infer<typeof OBJECT>;

/** The answer: the longest unread first; `more`: there are others behind them. */
export const STALE_ANSWER = z.object({ objects: z.array(OBJECT), more: z.boolean() });
export type StaleAnswer = z.infer<typeof STALE_ANSWER>;

/** Objects of at least `min_size_bytes` that nobody has read for `older_than_seconds`. */
export const STALE = {
  method: "GET",
  path: "/v1/stale",
  request: z.strictObject({
    older_than_seconds: z.coerce.number<number | string>().nonnegative(),
    min_size_bytes: z.coerce.number<number | string>().int().nonnegative().default(0),
    limit: z.coerce.number<number | string>().int().min(1).max(STALE_LIMIT_MAX).default(1_000),
  }),
  answer: STALE_ANSWER,
  form: "single",
} satisfies Endpoint;

/** What is wanted. */
export type StaleRequest = z.output<typeof STALE.request>;

/** `stale` on the wire. */
export function staleAnswer({ rows, more }: StaleObjects): StaleAnswer {
  const objects = rows.map((row) => ({
    backend: row.backend,
    path: row.path,
    size_bytes: row.sizeBytes,
    cached_bytes: row.cachedBytes,
    last_modified: new Date(row.modified.seconds * 1_000).toISOString(),
    last_access: new Date(row.lastAccessMs).toISOString(),
    pinned: row.pinned,
  }));
  return { objects, more };
}
