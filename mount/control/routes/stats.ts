/** `GET /v1/stats`. */
import { STATS, statsAnswer } from "../../../ctl/api_stats.ts";
import { type CacheAccess, NO_CACHE } from "../cache_access.ts";
import { type Route, route } from "../route.ts";

/** The route; `access` is null without a cache. */
export function statsRoute(access: CacheAccess | null): Route {
  return route(STATS, { sockets: "admin", bodyBytesMax: 0 }, async () => {
    if (access === null) return NO_CACHE;
    const { reading, atStart } = access;
    const [usage, counts] = await Promise.all([reading.usage(), reading.counts()]);
    return { kind: "answered", body: statsAnswer({ usage, counts, atStart }) };
  });
}
