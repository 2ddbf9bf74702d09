/** `GET /v1/usage`. */
import { cacheUsage } from "../../../cache/operations/cache_usage.ts";
import { shownPlace } from "../../../cache/operations/cached_places.ts";
import { USAGE, usageAnswer } from "../../../ctl/api_usage.ts";
import { type CacheAccess, NO_CACHE, selected } from "../cache_access.ts";
import { type Route, route } from "../route.ts";

/** The route; `access` is null without a cache. */
export function usageRoute(access: CacheAccess | null): Route {
  return route(USAGE, { sockets: "admin", bodyBytesMax: 0 }, async (request, _, signal) => {
    if (access === null) return NO_CACHE;
    const { path, by, depth } = request;
    const { reading, tree, teams } = access;
    const meant = path === undefined ? null : selected([path], tree);
    if (meant?.kind === "refused") return meant;
    const usage = await cacheUsage(
      reading,
      { places: meant?.paths.flatMap(({ places }) => places) ?? null, by, depth },
      { teams, shown: (place) => shownPlace(place, tree) },
      signal,
    );
    return { kind: "answered", body: usageAnswer(by, usage) };
  });
}
