/** The calls of a mount: the one list where the routes of every concept come together. */
import type { Route } from "./route.ts";

/** What the routes ask and steer. */
export type ControlSources = Readonly<Record<string, never>>;

/** Every route. A concept adds `routes/<concept>.ts` and its line here. */
export function controlRoutes(_sources: ControlSources): readonly Route[] {
  return [];
}
