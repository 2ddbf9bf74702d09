/** What the control sockets tell and steer, put together from the parts of a mount. */
import type { OpenCache } from "../cache/open_cache.ts";
import type { Libc } from "../cache/platform/libc.ts";
import type { Logger } from "../cache/platform/log.ts";
import { type Teams, teamsOf } from "../cache/config/teams.ts";
import type { MountConfig } from "./config.ts";
import type { ControlSources } from "./control/routes.ts";
import { buildNamespace } from "./namespace.ts";
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
  parts: ControlParts,
  { features, fileSystem }: Served,
): ControlSources {
  const { warm, teams, context: { clock }, libc, open: { health, volumes, credentials }, plans } =
    parts;
  const cache = parts.cache === null ? null : {
    ...parts.cache,
    operations: parts.cache.cache.operations,
    tree: config,
    teams,
    clock,
  };
  const uid = libc.effectiveUid();
  const process = { uid, pid: Deno.pid, kernelRelease: Deno.osRelease() };
  return {
    status: {
      ...{
        config,
        clock,
        ...process,
        features,
        fileSystem,
        cache,
        health,
        plans,
        warm,
        credentials,
      },
      offline: new Map(volumes.map(({ name, offline }) => [name, offline])),
    },
    explain: {
      tree: { mountPoint: config.mountPoint, space: buildNamespace(volumes) },
      volumes: new Map(volumes.map((volume) => [volume.name, volume])),
      readability: { defaults: config.owner, allowOther: config.allowOther, mountUid: uid },
      passthrough: features.passthrough,
      ...{ cache, fileSystem, plans, clock },
    },
    ...{ plans, warm, cache, clock },
  };
}
