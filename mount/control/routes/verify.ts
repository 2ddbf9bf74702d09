/** `POST /v1/verify`. */
import type { CacheSelector } from "../../../cache/operations/cache_selector.ts";
import { distinctPlaces } from "../../../cache/operations/cached_places.ts";
import { VERIFY, VerifyReport } from "../../../ctl/api_verify.ts";
import { type CacheAccess, NO_CACHE, selected } from "../cache_access.ts";
import { type Route, route } from "../route.ts";
import { whileWorking } from "../while_working.ts";

const BODY_BYTES_MAX = 4 * 1024 * 1024;

/** The route; `access` is null without a cache. */
export function verifyRoute(access: CacheAccess | null): Route {
  return route(VERIFY, { sockets: "admin", bodyBytesMax: BODY_BYTES_MAX }, (request, _, signal) => {
    if (access === null) return Promise.resolve(NO_CACHE);
    if (request.paths.length === 0) {
      return Promise.resolve({
        kind: "streamed",
        records: verify({ kind: "all" }, access, signal),
      });
    }
    const meant = selected(request.paths, access.tree);
    if (meant.kind === "refused") return Promise.resolve(meant);
    const selector = { kind: "places", places: distinctPlaces(meant.paths) } as const;
    return Promise.resolve({ kind: "streamed", records: verify(selector, access, signal) });
  });
}

async function* verify(
  selector: CacheSelector,
  { operations, tree, clock }: CacheAccess,
  signal: AbortSignal,
) {
  const totals = selector.kind === "all" ? await operations.totals() : null;
  const report = new VerifyReport(totals, tree);
  const work = async () => {
    const outcome = await operations.verify(selector, report, signal);
    return { event: "done" as const, ...report.answer(outcome) };
  };
  const progress = () => ({ event: "progress" as const, ...report.state });
  yield progress();
  yield* whileWorking(work(), progress, clock, signal);
}
