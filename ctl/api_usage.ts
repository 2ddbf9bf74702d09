/** `GET /v1/usage`: who takes how much of the cache. */
import { z } from "zod";
import { type CacheUsage, USAGE_KINDS } from "../cache/operations/cache_usage.ts";
import type { Endpoint } from "./api.ts";

const COUNT = z.int().nonnegative();
const TIME = z.iso.datetime();

const TOTALS = {
  /** Object versions, complete or not. */
  objects: COUNT,
  bytes: COUNT,
};

const GROUP = z.object({
  /** A path, a backend, a user id or a team; null for what belongs to no team. */
  group: z.string().nullable(),
  backend: z.string(),
  ...TOTALS,
  /** Of the object read last. */
  last_access: TIME,
});
export type UsageGroupAnswer = z.infer<typeof GROUP>;

/**
 * The answer. `scope` says what `bytes` are: `cached` are those on this machine. Stored bytes are
 * what the stores hold, which only a control plane knows.
 */
export const USAGE_ANSWER = z.object({
  scope: z.literal("cached"),
  by: z.enum(USAGE_KINDS),
  /** The largest first; at most 10,000. */
  groups: z.array(GROUP),
  /** What is in further groups. */
  rest: z.object(TOTALS),
});
export type UsageAnswer = z.infer<typeof USAGE_ANSWER>;

/** Adds up what is cached at a path and below it. */
export const USAGE = {
  method: "GET",
  path: "/v1/usage",
  request: z.strictObject({
    /** Absolute without links, or relative to the mount point; without it, all of the cache. */
    path: z.string().min(1).optional(),
    by: z.enum(USAGE_KINDS).default("path"),
    /** Names below the path by which directories are told apart; for `path` alone. */
    depth: z.coerce.number<number | string>().int().min(0).max(64).default(1),
  }),
  answer: USAGE_ANSWER,
  form: "single",
} satisfies Endpoint;

/** `usage` on the wire. */
export function usageAnswer(by: UsageAnswer["by"], { groups, rest }: CacheUsage): UsageAnswer {
  return {
    scope: "cached",
    by,
    groups: groups.map(({ group, backend, objects, cachedBytes, lastAccessMs }) => ({
      group,
      backend,
      objects,
      bytes: cachedBytes,
      last_access: new Date(lastAccessMs).toISOString(),
    })),
    rest: { objects: rest.objects, bytes: rest.cachedBytes },
  };
}
