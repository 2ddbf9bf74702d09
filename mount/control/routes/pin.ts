/** `POST /v1/pin` and `POST /v1/unpin`. */
import { distinctPlaces } from "../../../cache/operations/cached_places.ts";
import { pinPaths } from "../../../cache/operations/pin_paths.ts";
import { PIN, pinAnswer, UNPIN } from "../../../ctl/api_pin.ts";
import { type CacheAccess, NO_CACHE, selected } from "../cache_access.ts";
import { type Route, route } from "../route.ts";
import { whileWorking } from "../while_working.ts";

const ACCESS = { sockets: "admin", bodyBytesMax: 4 * 1024 * 1024 } as const;

/** Both routes; `access` is null without a cache. */
export function pinRoutes(access: CacheAccess | null): readonly Route[] {
  return [
    route(PIN, ACCESS, (request, _, signal) => {
      if (access === null) return Promise.resolve(NO_CACHE);
      const { operations, tree, clock } = access;
      const meant = selected(request.paths, tree);
      if (meant.kind === "refused") return Promise.resolve(meant);
      const work = async () => {
        const pinned = await pinPaths(operations, meant.paths, signal);
        return { event: "done" as const, ...pinAnswer(pinned, operations.pinnedBytes) };
      };
      return Promise.resolve({
        kind: "streamed",
        records: whileWorking(work(), working, clock, signal),
      });
    }),
    route(UNPIN, ACCESS, (request, _, signal) => {
      if (access === null) return Promise.resolve(NO_CACHE);
      const { operations, tree, clock } = access;
      const meant = selected(request.paths, tree);
      if (meant.kind === "refused") return Promise.resolve(meant);
      const selector = { kind: "places", places: distinctPlaces(meant.paths) } as const;
      const work = async () => {
        const objects = await operations.unpin(selector, signal);
        return { event: "done" as const, objects, pinned_bytes: operations.pinnedBytes };
      };
      return Promise.resolve({
        kind: "streamed",
        records: whileWorking(work(), working, clock, signal),
      });
    }),
  ];
}

function working() {
  return { event: "working" as const };
}
