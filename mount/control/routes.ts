/** The calls of a mount: the one list where the routes of every concept come together. */
import type { Clock } from "../../cache/platform/clock.ts";
import type { Plans } from "../plans.ts";
import type { WarmJobs } from "../warm/warm_jobs.ts";
import type { CacheAccess } from "./cache_access.ts";
import type { Route } from "./route.ts";
import { evictRoute } from "./routes/evict.ts";
import { explainRoute, type ExplainSources } from "./routes/explain.ts";
import { jobRoutes } from "./routes/jobs.ts";
import { pinRoutes } from "./routes/pin.ts";
import { planRoutes } from "./routes/plans.ts";
import { statusRoute, type StatusSources } from "./routes/status.ts";
import { staleRoute } from "./routes/stale.ts";
import { statsRoute } from "./routes/stats.ts";
import { usageRoute } from "./routes/usage.ts";
import { verifyRoute } from "./routes/verify.ts";
import { warmRoutes } from "./routes/warm.ts";

/** What the routes ask and steer. */
export interface ControlSources {
  readonly status: StatusSources;
  readonly explain: ExplainSources;
  readonly plans: Plans;
  readonly warm: WarmJobs;
  /** Null without a cache. */
  readonly cache: CacheAccess | null;
  readonly clock: Clock;
}

/** Every route. A concept adds `routes/<concept>.ts` and its line here. */
export function controlRoutes(sources: ControlSources): readonly Route[] {
  return [
    statusRoute(sources.status),
    statsRoute(sources.cache),
    usageRoute(sources.cache),
    staleRoute(sources.cache),
    explainRoute(sources.explain),
    ...planRoutes(sources.plans, sources.clock),
    ...warmRoutes(sources.warm, sources.clock),
    evictRoute(sources.cache),
    ...pinRoutes(sources.cache),
    verifyRoute(sources.cache),
    ...jobRoutes(sources.cache),
  ];
}
