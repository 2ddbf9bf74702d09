/** What the control sockets tell and steer, put together from the parts of a mount. */
import type { OpenCache } from "../cache/open_cache.ts";
import type { Libc } from "../cache/platform/libc.ts";
import type { Logger } from "../cache/platform/log.ts";
import { type Teams, teamsOf } from "../cache/teams.ts";
import type { MountConfig } from "./config.ts";
import type { ControlSources } from "./control/routes.ts";
import type { Served, Surroundings } from "./serve_kernel.ts";
import type { WarmJobs } from "./warm/warm_jobs.ts";

/** What the calls need besides what serves the kernel. */
export interface ControlParts extends Surroundings {
  readonly cache: OpenCache | null;
  readonly warm: WarmJobs;
  readonly teams: Teams;
}

/**
 * The teams of the configuration. To be called before anything is mounted: a directory service may
 * take its time to tell who its users are.
 */
export function mountTeams(config: MountConfig, libc: Libc, logger: Logger): Teams {
  const teams = teamsOf(config.teams, {
    ...config,
    userId: (name) => libc.accounts.userId(name),
  });
  if (teams.unknownUsers.length > 0) {
    logger.warn("Leave out users of teams that this machine does not know", {
      users: teams.unknownUsers.slice(0, 20),
      count: teams.unknownUsers.length,
    });
  }
  return teams;
}

/** What the routes are made of. */
export function controlSources(
  config: MountConfig,
  { cache, warm, teams, context: { clock }, libc, open: { health, volumes }, plans }: ControlParts,
  { features, fileSystem }: Served,
): ControlSources {
  const machine = { uid: libc.effectiveUid(), pid: Deno.pid, kernelRelease: Deno.osRelease() };
  const access = cache === null
    ? null
    : { ...cache, operations: cache.cache.operations, tree: config, teams, clock };
  const status = {
    ...{ config, clock, ...machine, features, fileSystem, cache: access, health, plans, warm },
    offline: new Map(
      volumes.flatMap(({ name, offline }) => offline === null ? [] : [[name, offline]]),
    ),
  };
  return { status, plans, warm, cache: access, clock };
}
