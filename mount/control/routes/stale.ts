/** `GET /v1/stale`. */
import { STALE, staleAnswer } from "../../../ctl/api_stale.ts";
import { type CacheAccess, NO_CACHE } from "../cache_access.ts";
import { type Route, route } from "../route.ts";

/** The route; `access` is null without a cache. */
export function staleRoute(access: CacheAccess | null): Route {
  return route(STALE, { sockets: "admin", bodyBytesMax: 0 }, async (request, _, signal) => {
    if (access === null) return NO_CACHE;
    const question = {
      olderThanMs: request.older_than_seconds * 1_000,
      minSizeBytes: request.min_size_bytes,
      limit: request.limit,
    };
    const body = staleAnswer(await access.operations.stale(question, signal));
    return { kind: "answered", body };
  });
}
