/** The calls of a mount: the one list where the routes of every concept come together. */
import type { Clock } from "../../cache/platform/clock.ts";
import type { Plans } from "../plans.ts";
import type { Route } from "./route.ts";
import { planRoutes } from "./routes/plans.ts";

/** What the routes ask and steer. */
export interface ControlSources {
  readonly plans: Plans;
  readonly clock: Clock;
}

/** Every route. A concept adds `routes/<concept>.ts` and its line here. */
export function controlRoutes({ plans, clock }: ControlSources): readonly Route[] {
  return [...planRoutes(plans, clock)];
}
