/** `POST /v1/evict`. */
import type { CacheSelector } from "../../../cache/operations/cache_selector.ts";
import { distinctPlaces } from "../../../cache/operations/cached_places.ts";
import { EVICT, evictAnswer, type EvictRequest } from "../../../ctl/api_evict.ts";
import { type CacheAccess, NO_CACHE, selected } from "../cache_access.ts";
import { type Refused, type Route, route } from "../route.ts";
import { whileWorking } from "../while_working.ts";

const BODY_BYTES_MAX = 4 * 1024 * 1024;

/** The route; `access` is null without a cache. */
export function evictRoute(access: CacheAccess | null): Route {
  return route(EVICT, { sockets: "admin", bodyBytesMax: BODY_BYTES_MAX }, (request, _, signal) => {
    if (access === null) return Promise.resolve(NO_CACHE);
    const meant = selectorOf(request, access);
    if (meant.kind === "refused") return Promise.resolve(meant);
    const records = evict(meant, request.dry_run, access, signal);
    return Promise.resolve({ kind: "streamed", records });
  });
}

function evict(
  selector: CacheSelector,
  isDryRun: boolean,
  { operations, clock }: CacheAccess,
  signal: AbortSignal,
) {
  const work = async () => {
    const evicted = isDryRun
      ? await operations.evictable(selector, signal)
      : await operations.evict(selector, signal);
    return { event: "done" as const, ...evictAnswer(evicted) };
  };
  return whileWorking(work(), () => ({ event: "working" as const }), clock, signal);
}

function selectorOf({ what }: EvictRequest, { tree }: CacheAccess): CacheSelector | Refused {
  switch (what.kind) {
    case "stale":
      return {
        kind: "stale",
        olderThanMs: what.older_than_seconds * 1_000,
        minSizeBytes: what.min_size_bytes,
      };
    case "paths": {
      const meant = selected(what.paths, tree);
      if (meant.kind === "refused") return meant;
      return { kind: "places", places: distinctPlaces(meant.paths) };
    }
  }
}
